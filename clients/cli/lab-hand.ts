/** The hand that drives a lab over HTTP: pause, one step of one task, a new machine. */

import type { Type } from 'typebox';
import type { Control, ControlAnswer, LabDetail, NewLab } from '../../server/protocol/http-api.ts';
import type { TaskEntry } from '../../server/protocol/lab-control.ts';
import { movedFetch } from '../sdk/moved-fetch.ts';
import { patientFetch } from '../sdk/patient-fetch.ts';
import { Unavailable, UsageError } from './failure.ts';

type Answer = Type.Static<typeof ControlAnswer>;

interface ErrorBody {
  readonly error?: {
    readonly code?: string;
    readonly message?: string;
    readonly what?: string;
    readonly remedy?: string;
  };
}

export class LabHand {
  readonly #api: string;
  readonly #lab: string;
  readonly #headers: { readonly [name: string]: string };
  /** As the last answer said. */
  tasks: readonly TaskEntry[] = [];

  /**
   * `webSocketUrl` as clients use it: the routes are on the same server. `presenter` is the token of the one who drives
   * the lab, if it is locked.
   */
  constructor(webSocketUrl: string, lab: string, presenter?: string) {
    const url = new URL(webSocketUrl);
    url.protocol = url.protocol === 'wss:' ? 'https:' : 'http:';
    this.#api = `${url.origin}/api/labs`;
    this.#lab = lab;
    const bearer = presenter === undefined ? {} : { authorization: `Bearer ${presenter}` };
    this.#headers = { 'content-type': 'application/json', ...bearer };
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
  async control(control: Control): Promise<Answer> {
    const response = await this.#post(`${this.#path()}/control`, control);
    const answer = (await this.#body(response)) as Answer;
    this.tasks = answer.tasks;
    return answer;
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
    const init = { method: 'POST', headers: this.#headers, body: JSON.stringify(body) };
    return this.#fetch(url, init);
  }

  async #fetch(url: string, init: RequestInit): Promise<Response> {
    try {
      return await patientFetch(() => movedFetch(url, init));
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
  const { message = 'the server refuses', what = '', remedy = '' } = error ?? {};
  const where = what === '' ? '' : ` (${what})`;
  return new UsageError(`${message}${where} ${remedy}`.trim());
}

/** What a person is told of a lab that went back. */
export function backAt(lab: string, events: number): string {
  return `the lab ${lab} is as it was behind event ${events}`;
}
