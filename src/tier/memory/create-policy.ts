import type { EvictionPolicy, PolicyName, PolicyNode } from "./policy.ts";
export function createPolicy(
  _name: PolicyName,
  _o: { capacity: number; random?: () => number },
): EvictionPolicy {
  const head = { previous: undefined, next: undefined } as unknown as PolicyNode;
  head.previous = head;
  head.next = head;
  const unlink = (n: PolicyNode): void => {
    (n.previous as PolicyNode).next = n.next;
    (n.next as PolicyNode).previous = n.previous;
    n.previous = n.next = undefined;
    n.queue = 0;
  };
  const link = (n: PolicyNode): void => {
    n.previous = head.previous;
    n.next = head;
    (head.previous as PolicyNode).next = n;
    head.previous = n;
    n.queue = 1;
  };
  return {
    add: link,
    touch: (n) => {
      unlink(n);
      link(n);
    },
    reweigh: (n, w) => {
      n.weight = w;
    },
    remove: unlink,
    evict: () => {
      const n = head.next as PolicyNode;
      if (n === head) return undefined;
      unlink(n);
      return n;
    },
    clear: () => undefined,
  };
}
