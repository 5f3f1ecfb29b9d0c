/** The hand that drives a lab over HTTP: pause, one step of one task, a new machine. */

import type { Type } from 'typebox';
import type {
  Control,
  ControlAnswer,
  LabDetail,
  NewLab,
} from '../../../server/protocol/http-api.ts';
import type { TaskEntry } from '../../../server/protocol/lab-control.ts';
import { patientFetch } from '../../sdk/patient-fetch.ts';
import { Unavailable, UsageError } from '../failure.ts';

type Answer = Type.Static<typeof ControlAnswer>;

interface ErrorBody {
  readonly error?: { readonly code?: string; readonly message?: string; readonly remedy?: string };
}

export class LabHand {
  readonly #api: string;
  readonly #lab: string;
  /** As the last answer said. */
  tasks: readonly TaskEntry[] = [];

  /** `webSocketUrl` as clients use it: the routes are on the same server. */
  constructor(webSocketUrl: string, lab: string) {
    const url = new URL(webSocketUrl);
    url.protocol = url.protocol === 'wss:' ? 'https:' : 'http:';
    this.#api = `${url.origin}/api/labs`;
    this.#lab = lab;
  }

  /** 'none' if there is no such lab. Throws: UsageError. */
  async look(): Promise<LabDetail | 'none'> {
    const response = await this.#fetch(this.#path(), {});
    if (response.status === 404) return 'none';
    const detail = (await this.#body(response)) as LabDetail;
    this.tasks = detail.tasks;
    return detail;
  }

  /** Opens the lab, empty. Throws: UsageError. */
  async create(on: Pick<NewLab, 'kernel' | 'patch'>): Promise<void> {
    await this.#body(await this.#post(this.#api, { name: this.#lab, ...on }));
  }

  /** Throws: UsageError if the server refuses. */
  async control(control: Control): Promise<void> {
    const response = await this.#post(`${this.#path()}/control`, control);
    this.tasks = ((await this.#body(response)) as Answer).tasks;
  }

  /** One step of a task; 'not ready' if it cannot go on just now. */
  async step(task: number): Promise<'stepped' | 'not ready'> {
    const response = await this.#post(`${this.#path()}/control`, { action: 'step', task });
    if (response.ok) {
      this.tasks = ((await response.json()) as Answer).tasks;
      return 'stepped';
    }
    const { error } = (await response.json()) as ErrorBody;
    if (error?.code === 'no-such-task') return 'not ready';
    throw refused(error);
  }

  #path(): string {
    return `${this.#api}/${encodeURIComponent(this.#lab)}`;
  }

  #post(url: string, body: object): Promise<Response> {
    const headers = { 'content-type': 'application/json' };
    return this.#fetch(url, { method: 'POST', headers, body: JSON.stringify(body) });
  }

  async #fetch(url: string, init: RequestInit): Promise<Response> {
    try {
      return await patientFetch(() => fetch(url, init));
    } catch (error) {
      throw new Unavailable(`${url}: no server answers; start one with mmrace serve`, {
        cause: error,
      });
    }
  }

  async #body(response: Response): Promise<unknown> {
    if (response.ok) return await response.json();
    const text = await response.text();
    throw refused(errorOf(text) ?? { message: `${response.url}: HTTP ${response.status}` });
  }
}

function errorOf(text: string): ErrorBody['error'] {
  try {
    return (JSON.parse(text) as ErrorBody).error;
  } catch {
    return undefined;
  }
}

function refused(error: ErrorBody['error']): UsageError {
  const { message = 'the server refuses', remedy = '' } = error ?? {};
  return new UsageError(`${message} ${remedy}`.trim());
}
