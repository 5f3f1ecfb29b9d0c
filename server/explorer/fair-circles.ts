/**
 * Whether a fair scheduler can go round for ever: a set of states, each of which can be reached from each other, in
 * which every task that could go on somewhere does go on somewhere. A task that could go on and never does, as long
 * as the states do not leave the set, is not treated fairly: the states in which it could are left out, and what
 * remains is asked the same.
 *
 * Wants every step of every state: a search that leaves out orders leaves out circles.
 * Source: fair cycle detection (Emerson and Lei 1987), with Tarjan's components.
 */

/** A step from one state to another. Tasks have names that are the same in every execution. */
interface Edge {
  readonly task: string;
  readonly to: number;
}

/** The way to a round, and the round: which task goes next. */
export interface FairCircle {
  readonly prefix: readonly string[];
  readonly round: readonly string[];
}

/** The states that a search has met, and the steps between them. */
export class StateGraph {
  readonly #edges = new Map<number, Edge[]>();
  readonly #enabled = new Map<number, readonly string[]>();
  #first: number | 'none' = 'none';

  /** `enabled` could go on in the state `key`. */
  met(key: number, enabled: readonly string[]): void {
    if (this.#first === 'none') this.#first = key;
    this.#enabled.set(key, enabled);
  }

  stepped(from: number, task: string, to: number): void {
    const edges = this.#edges.get(from) ?? [];
    this.#edges.set(from, edges);
    if (!edges.some((edge) => edge.task === task && edge.to === to)) edges.push({ task, to });
  }

  fairCircle(): FairCircle | 'none' {
    if (this.#first === 'none') return 'none';
    const waiting = [new Set(this.#enabled.keys())];
    for (let within = waiting.pop(); within !== undefined; within = waiting.pop()) {
      for (const component of this.#components(within)) {
        const took = new Set<string>();
        for (const key of component) {
          for (const { task, to } of this.#edgesOf(key)) if (component.has(to)) took.add(task);
        }
        if (took.size === 0) continue;
        const fair = [...component].filter((key) =>
          this.#enabledAt(key).every((one) => took.has(one)),
        );
        if (fair.length === component.size) return this.#circleIn(component, took);
        waiting.push(new Set(fair));
      }
    }
    return 'none';
  }

  /** From the first state there, and round until each of `tasks` has gone on. */
  #circleIn(component: ReadonlySet<number>, tasks: ReadonlySet<string>): FairCircle {
    const everywhere = new Set(this.#enabled.keys());
    const prefix = this.#way(this.#first as number, everywhere, (_, at) => component.has(at));
    const round: string[] = [];
    let at = prefix.end;
    const begins = at;
    for (const task of tasks) {
      if (round.includes(task)) continue;
      const way = this.#way(at, component, (by) => by === task);
      round.push(...way.tasks);
      at = way.end;
    }
    if (at !== begins) round.push(...this.#way(at, component, (_, end) => end === begins).tasks);
    return { prefix: prefix.tasks, round };
  }

  /** The shortest way from `start` on, without leaving `within`, whose last step is `wanted`. */
  #way(
    start: number,
    within: ReadonlySet<number>,
    wanted: (task: string, end: number) => boolean,
  ): { readonly tasks: string[]; readonly end: number } {
    const cameBy = new Map<number, { readonly from: number; readonly task: string }>();
    const queue = [start];
    for (let at = queue.shift(); at !== undefined; at = queue.shift()) {
      for (const { task, to } of this.#edgesOf(at)) {
        if (!within.has(to)) continue;
        if (wanted(task, to))
          return { tasks: [...this.#tasksTo(at, start, cameBy), task], end: to };
        if (to === start || cameBy.has(to)) continue;
        cameBy.set(to, { from: at, task });
        queue.push(to);
      }
    }
    return { tasks: [], end: start };
  }

  #tasksTo(
    end: number,
    start: number,
    cameBy: ReadonlyMap<number, { readonly from: number; readonly task: string }>,
  ): string[] {
    const tasks: string[] = [];
    for (let at = end; at !== start; ) {
      const step = cameBy.get(at);
      if (step === undefined) throw new RangeError('a way that does not begin where it should');
      tasks.unshift(step.task);
      at = step.from;
    }
    return tasks;
  }

  /** Tarjan's, without recursion: ways are as long as executions. */
  #components(within: ReadonlySet<number>): Set<number>[] {
    const found: Set<number>[] = [];
    const index = new Map<number, number>();
    const low = new Map<number, number>();
    const open: number[] = [];
    const isOpen = new Set<number>();
    for (const root of within) {
      if (index.has(root)) continue;
      const calls: { readonly key: number; next: number }[] = [{ key: root, next: 0 }];
      for (let call = calls.at(-1); call !== undefined; call = calls.at(-1)) {
        const { key } = call;
        if (call.next === 0) {
          index.set(key, index.size);
          low.set(key, index.get(key) as number);
          open.push(key);
          isOpen.add(key);
        }
        const edge = this.#edgesOf(key)[call.next];
        call.next += 1;
        if (edge === undefined) {
          calls.pop();
          const above = calls.at(-1)?.key;
          const lowest = low.get(key) as number;
          if (above !== undefined) low.set(above, Math.min(low.get(above) as number, lowest));
          if (lowest !== index.get(key)) continue;
          const component = new Set<number>();
          for (let one = open.pop(); one !== undefined; one = open.pop()) {
            isOpen.delete(one);
            component.add(one);
            if (one === key) break;
          }
          found.push(component);
        } else if (!within.has(edge.to)) continue;
        else if (!index.has(edge.to)) calls.push({ key: edge.to, next: 0 });
        else if (isOpen.has(edge.to)) {
          low.set(key, Math.min(low.get(key) as number, index.get(edge.to) as number));
        }
      }
    }
    return found;
  }

  #edgesOf(key: number): readonly Edge[] {
    return this.#edges.get(key) ?? NO_EDGES;
  }

  #enabledAt(key: number): readonly string[] {
    return this.#enabled.get(key) ?? NO_TASKS;
  }
}

const NO_EDGES: readonly Edge[] = [];
const NO_TASKS: readonly string[] = [];
