/**
 * Writes the coverage of this process after each test file: Vitest ends its processes by a signal,
 * and Node.js writes coverage only when a process ends by itself.
 */

import { takeCoverage } from "node:v8";
import { afterAll } from "vitest";

afterAll(() => takeCoverage());
