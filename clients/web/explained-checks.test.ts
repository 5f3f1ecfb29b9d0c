import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HelloResult } from '../../server/protocol/hello.ts';
import {
  ControlAnswer,
  DriversAnswer,
  KernelsAnswer,
  LabDetail,
  LabsAnswer,
  NewLabAnswer,
  PatchesAnswer,
  PerformanceAnswer,
  RunEvents,
  RunsAnswer,
  ScenarioCheck,
  ScenariosAnswer,
  ScenarioText,
  TokenAnswer,
} from '../../server/protocol/http-api.ts';
import { LabControl } from '../../server/protocol/lab-control.ts';
import { LabSnapshot } from '../../server/protocol/lab-snapshot.ts';
import { SERVER_NOTIFICATIONS } from '../../server/protocol/server-notifications.ts';
import { SERVER_QUESTIONS } from '../../server/protocol/server-questions.ts';
import { Compile } from './explained-checks.ts';

const CHECKED = [
  [HelloResult, LabControl, LabSnapshot, SERVER_NOTIFICATIONS, SERVER_QUESTIONS],
  [
    ScenariosAnswer,
    PatchesAnswer,
    KernelsAnswer,
    DriversAnswer,
    LabsAnswer,
    LabDetail,
    NewLabAnswer,
  ],
  [
    ControlAnswer,
    PerformanceAnswer,
    RunsAnswer,
    RunEvents,
    ScenarioCheck,
    ScenarioText,
    TokenAnswer,
  ],
];
/** What explain() knows, and what says nothing about a value. */
const KNOWN = new Set(
  `type const enum anyOf allOf properties required additionalProperties patternProperties maxProperties items minItems
   maxItems minimum maximum exclusiveMinimum minLength maxLength pattern description title`.split(
    /\s+/,
  ),
);

function strangersIn(value: unknown, seen: Set<object>): string[] {
  if (typeof value !== 'object' || value === null || seen.has(value)) return [];
  seen.add(value);
  const {
    additionalProperties: rest,
    properties = {},
    patternProperties = {},
  } = value as {
    readonly [keyword: string]: object | undefined;
  };
  const isSchema = 'type' in value || 'anyOf' in value || 'enum' in value || 'const' in value;
  const own = isSchema ? Object.keys(value).filter((keyword) => !KNOWN.has(keyword)) : [];
  if (isSchema && typeof rest === 'object') own.push('additionalProperties with a schema');
  const parts = isSchema
    ? Object.entries(value).flatMap(([keyword, part]) =>
        keyword.endsWith('roperties') ? [] : [part],
      )
    : Object.values(value);
  return [
    ...own,
    ...[parts, Object.values(properties), Object.values(patternProperties)]
      .flat(2)
      .flatMap((part) => strangersIn(part, seen)),
  ];
}

test('no schema that the page checks has a keyword that it does not know', () => {
  const seen = new Set<object>();
  assert.deepEqual(strangersIn(CHECKED, seen), []);
  assert.ok(seen.size > 300, `${seen.size} schemas were looked at`);
  assert.deepEqual(strangersIn([{ type: 'array', uniqueItems: true }], new Set()), ['uniqueItems']);
});

test('it checks', () => {
  const { Check } = Compile(NewLabAnswer);
  assert.equal(Check({ presenterToken: '' }), false);
});
