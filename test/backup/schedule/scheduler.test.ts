import { hostname } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { loadNextTime } from "../../../src/backup/schedule/next-time.ts";
import { LEASE_MS, ScheduleTable } from "../../../src/backup/schedule/schedule-table.ts";
import { Scheduler, type Task, type TaskRun } from "../../../src/backup/schedule/scheduler.ts";
import { FakeClock } from "../../../src/testing/fake-clock.ts";
import { execute, makePlace } from "../support.ts";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const MINUTE_MS = 60_000;
/** One hour before a day's backup. */
const ONE_MS = Date.UTC(2026, 10, 26, 1);

interface Scene {
  readonly path: string;
  readonly clock: FakeClock;
  /** The times at which the task has run. */
  readonly ran: string[];
  /** What the next run does. */
  work: (signal: AbortSignal) => Promise<string>;
  done: string | undefined;
}

function scene(startMs = ONE_MS): Scene {
  const { folder } = makePlace();
  const clock = new FakeClock(startMs);
  const made: Scene = {
    path: join(folder, "schedule.db"),
    clock,
    ran: [],
    work: async () => "done",
    done: undefined,
  };
  return made;
}

async function scheduler(
  on: Scene,
  expression = "0 2 * * *",
  timeZone = "UTC",
): Promise<Scheduler> {
  const table = await ScheduleTable.open(on.path);
  const task: Task = {
    name: "backup",
    expression,
    run(signal) {
      on.ran.push(new Date(on.clock.nowMs()).toISOString().slice(0, 16));
      return on.work(signal);
    },
    wasDone: async () => on.done,
  };
  const nextTime = await loadNextTime(timeZone);
  const parts = {
    table,
    tasks: [task],
    timeZone,
    nextTime,
    clock: on.clock,
    onRun: () => undefined,
  };
  const made = await Scheduler.create(parts);
  onTestFinished(async () => {
    await made[Symbol.asyncDispose]();
    await table[Symbol.asyncDispose]();
  });
  return made;
}

async function next(of: Scheduler): Promise<string> {
  const [state] = await of.states();
  return new Date(state?.nextMs ?? 0).toISOString();
}

describe("a scheduled task", () => {
  it("runs at its time, once", async () => {
    const on = scene();
    const one = await scheduler(on);

    await one.runDue();
    on.clock.advance(HOUR_MS);
    const runs = await one.runDue();
    on.clock.advance(MINUTE_MS);
    await one.runDue();

    expect(on.ran).toEqual(["2026-11-26T02:00"]);
    const nextMs = Date.UTC(2026, 10, 27, 2);
    expect(runs).toEqual<TaskRun[]>([{ name: "backup", outcome: "ok", message: "done", nextMs }]);
  });

  it("that was missed several times is caught up once", async () => {
    const on = scene();
    await scheduler(on);

    on.clock.advance(5 * DAY_MS);
    const later = await scheduler(on);
    await later.runDue();
    await later.runDue();

    expect(on.ran).toEqual(["2026-12-01T01:00"]);
    expect(await next(later)).toBe("2026-12-01T02:00:00.000Z");
  });

  it("is run by one of two processes, and the other one waits for the next time", async () => {
    const on = scene();
    const [one, other] = [await scheduler(on), await scheduler(on)];
    const begun = Promise.withResolvers<void>();
    const running = Promise.withResolvers<string>();
    on.work = () => {
      begun.resolve();
      return running.promise;
    };
    on.clock.advance(HOUR_MS);

    const first = one.runDue();
    await begun.promise;
    const second = await other.runDue();
    running.resolve("done");
    const both = [await first, second, await other.runDue()];

    expect(on.ran.length).toBe(1);
    expect(both.map((runs) => runs.length)).toEqual([1, 0, 0]);
  });

  it("that fails is tried again a few times, and then at its next time", async () => {
    const on = scene();
    const one = await scheduler(on);
    on.work = async () => {
      throw new Error("the disk is full");
    };
    for (on.clock.advance(HOUR_MS); on.clock.nowMs() < ONE_MS + 26 * HOUR_MS; ) {
      await one.runDue();
      on.clock.advance(5 * MINUTE_MS);
    }

    expect(on.ran).toEqual([
      "2026-11-26T02:00",
      "2026-11-26T02:15",
      "2026-11-26T02:30",
      "2026-11-27T02:00",
      "2026-11-27T02:15",
      "2026-11-27T02:30",
    ]);
    expect(await one.states()).toMatchObject([{ outcome: "failed", message: "the disk is full" }]);
  });

  it("whose process was killed runs again at once, unless it had done its work", async () => {
    const on = scene();
    const one = await scheduler(on);
    const killed = (): void => {
      const holder = JSON.stringify({ pid: 2 ** 22 - 1, host: hostname(), token: "x" });
      execute(
        on.path,
        `UPDATE springhouse_schedule SET holder = '${holder}', started_ms = ${on.clock.nowMs()},
           lease_until_ms = ${on.clock.nowMs() + LEASE_MS}`,
      );
    };
    on.clock.advance(HOUR_MS);

    killed();
    await one.runDue();
    on.clock.advance(DAY_MS);
    killed();
    on.done = "it was done";
    const [run] = await one.runDue();

    expect(on.ran).toEqual(["2026-11-26T02:00"]);
    expect(run).toMatchObject({ outcome: "ok", message: "it was done" });
  });

  it("that kills its process again and again is given up until its next time", async () => {
    const on = scene();
    const one = await scheduler(on);
    const holder = JSON.stringify({ pid: 2 ** 22 - 1, host: hostname(), token: "x" });
    on.clock.advance(HOUR_MS);
    execute(
      on.path,
      `UPDATE springhouse_schedule SET attempts = 2, holder = '${holder}', started_ms = 1`,
    );

    const [run] = await one.runDue();

    expect(on.ran).toEqual([]);
    expect(run).toMatchObject({
      outcome: "failed",
      message: "its process died 3 times while it ran",
    });
    expect(await next(one)).toBe("2026-11-27T02:00:00.000Z");
  });

  it("of a machine that cannot be seen is waited for as long as its lease", async () => {
    const on = scene();
    const one = await scheduler(on);
    on.clock.advance(HOUR_MS);
    execute(
      on.path,
      `UPDATE springhouse_schedule SET holder = '{"pid":1,"host":"elsewhere","token":"x"}',
         started_ms = 1, lease_until_ms = ${on.clock.nowMs() + LEASE_MS}`,
    );

    await one.runDue();
    on.clock.advance(LEASE_MS + 1);
    const runs = await one.runDue();

    expect(runs.length).toBe(1);
    expect(on.ran).toEqual(["2026-11-26T02:01"]);
  });

  it("keeps its lease for as long as it runs", async () => {
    const on = scene();
    const [one, other] = [await scheduler(on), await scheduler(on)];
    const running = Promise.withResolvers<string>();
    on.work = () => running.promise;
    on.clock.advance(HOUR_MS);
    const first = one.runDue();
    await until(() => on.ran.length === 1);
    execute(
      on.path,
      `UPDATE springhouse_schedule SET holder = replace(holder, '"host":"', '"host":"not-')`,
    );

    for (let minutes = 0; minutes < 10; minutes++) {
      on.clock.advance(LEASE_MS / 3);
      await other.states();
      await other.runDue();
    }
    running.resolve("done");

    expect((await first).length).toBe(1);
    expect(on.ran.length).toBe(1);
  });

  it("is given up when the schedule is closed, and is still due", async () => {
    const on = scene();
    const one = await scheduler(on);
    on.work = (signal) => {
      const { promise, reject } = Promise.withResolvers<string>();
      signal.addEventListener("abort", () => reject(new Error("aborted")));
      return promise;
    };
    on.clock.advance(HOUR_MS);
    one.start();
    await until(() => on.ran.length === 1);

    await one[Symbol.asyncDispose]();
    on.work = async () => "done";
    const other = await scheduler(on);
    await other.runDue();

    expect(on.ran.length).toBe(2);
  });
});

describe("a clock", () => {
  it("that is set back a little runs nothing twice", async () => {
    const on = scene();
    const one = await scheduler(on);
    on.clock.advance(HOUR_MS);
    await one.runDue();

    on.clock.setBack(30 * MINUTE_MS);
    await one.runDue();
    on.clock.advance(HOUR_MS);
    await one.runDue();

    expect(on.ran).toEqual(["2026-11-26T02:00"]);
  });

  it("that was years ahead and is set right stops nothing", async () => {
    const on = scene(ONE_MS + 900 * DAY_MS);
    const one = await scheduler(on);
    on.clock.advance(HOUR_MS);
    await one.runDue();

    on.clock.setBack(900 * DAY_MS);
    await one.runDue();
    on.clock.advance(DAY_MS);
    await one.runDue();

    expect(on.ran.slice(1)).toEqual(["2026-11-27T02:00"]);
  });

  it.each([
    ["forward", "2026-03-28T12:00:00Z", ["2026-03-29T01:00", "2026-03-30T00:00"]],
    ["back", "2026-10-24T12:00:00Z", ["2026-10-25T00:00", "2026-10-26T01:00"]],
  ])("that goes %s in summer time runs a task once on each day", async (_, from, ran) => {
    const on = scene(Date.parse(from));
    const one = await scheduler(on, "0 2 * * *", "Europe/Berlin");

    for (let half = 0; half < 96; half++) {
      await one.runDue();
      on.clock.advance(HOUR_MS / 2);
    }

    expect(on.ran).toEqual(ran);
  });
});

describe("a schedule", () => {
  it("that gets another time is due then", async () => {
    const on = scene();
    await scheduler(on);

    const other = await scheduler(on, "30 4 * * *");

    expect(await next(other)).toBe("2026-11-26T04:30:00.000Z");
  });

  it("goes on by itself, by the clock alone", async () => {
    class CountingClock extends FakeClock {
      timers = 0;

      override schedule(callback: () => void, delayMs: number): Disposable {
        this.timers++;
        return super.schedule(callback, delayMs);
      }
    }
    const clock = new CountingClock(ONE_MS);
    const on = { ...scene(), clock };
    const one = await scheduler(on);
    one.start();

    for (let looks = 1; on.ran.length === 0; looks++) {
      await until(() => clock.timers === looks);
      clock.advance(MINUTE_MS);
      if (clock.nowMs() === ONE_MS + HOUR_MS) await until(() => on.ran.length > 0);
    }

    expect(on.ran).toEqual(["2026-11-26T02:00"]);
  });
});

async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise((resolve) => setImmediate(resolve));
}
