import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ConfigError, configFrom, DEFAULT_CONFIG } from './config.ts';
import { serverToken } from './server-token.ts';

test('an empty environment gives the defaults, which listen on this machine only', () => {
  assert.deepEqual(configFrom({}), DEFAULT_CONFIG);
  assert.equal(DEFAULT_CONFIG.host, '127.0.0.1');
});

test('each variable is taken', () => {
  const environment = {
    MMRACE_HOST: '::1',
    MMRACE_TOKEN: 'token.txt',
    MMRACE_PUBLIC_HOST: 'a.example,b.example',
    MMRACE_PORT: '0',
    MMRACE_LEASE_MS: '5',
    MMRACE_GRACE_MS: '6',
    MMRACE_HEARTBEAT_MS: '7',
    MMRACE_DRAIN_MS: '8',
    MMRACE_RECORD: 'runs',
    MMRACE_RESTORE: 'restored',
    MMRACE_DURABILITY: 'each',
    MMRACE_CHECKPOINT_EVERY: '9',
    MMRACE_KEEP: '10',
    MMRACE_REDIS: 'redis://10.0.0.1',
    MMRACE_REDIS_PREFIX: 'room',
    MMRACE_OWNER_LEASE_MS: '500',
    MMRACE_ADDRESS: 'http://10.0.0.2:7070',
    MMRACE_UNKNOWN_LABS: 'refused',
    MMRACE_LOG: 'silent',
    MMRACE_LOG_FORM: 'human',
  };
  assert.deepEqual(configFrom(environment), {
    host: '::1',
    publicHosts: ['a.example', 'b.example'],
    tokenFile: 'token.txt',
    port: 0,
    leaseMs: 5,
    graceMs: 6,
    heartbeatMs: 7,
    drainMs: 8,
    recordTo: 'runs',
    restore: 'restored',
    durability: 'each',
    checkpointEvery: 9,
    keep: 10 * 1_024 * 1_024,
    redis: 'redis://10.0.0.1',
    redisPrefix: 'room',
    ownerLeaseMs: 500,
    address: 'http://10.0.0.2:7070',
    ends: 'for-now',
    unknownLabs: 'refused',
    logLevel: 'silent',
    logForm: 'human',
  });
});

test('nonsense is refused with the variable, the bound and what was found', () => {
  const refused: readonly (readonly [string, string, string])[] = [
    ['MMRACE_PORT', '65536', 'MMRACE_PORT: expected a whole number from 0 to 65535, found "65536"'],
    ['MMRACE_PORT', '', 'MMRACE_PORT: expected a whole number from 0 to 65535, found ""'],
    ['MMRACE_PORT', '7e3', 'MMRACE_PORT: expected a whole number from 0 to 65535, found "7e3"'],
    [
      'MMRACE_LEASE_MS',
      '0',
      'MMRACE_LEASE_MS: expected a whole number from 1 to 86400000, found "0"',
    ],
    [
      'MMRACE_UNKNOWN_LABS',
      'maybe',
      'MMRACE_UNKNOWN_LABS: expected one of on-demand, refused, found "maybe"',
    ],
  ];
  for (const [variable, text, message] of refused) {
    assert.throws(
      () => configFrom({ [variable]: text }),
      (error) => {
        assert.ok(error instanceof ConfigError);
        assert.equal(error.message, message);
        return true;
      },
    );
  }
});

test('a server that only this machine reaches needs no token; another one makes one', () => {
  for (const host of ['127.0.0.1', '127.1.2.3', 'localhost', '::1'])
    assert.equal(serverToken({ host, tokenFile: 'by-host' }), 'none', host);
  for (const host of ['0.0.0.0', '::', '10.0.0.7', 'lab.example', '127.0.0.1.lab.example']) {
    const token = serverToken({ host, tokenFile: 'by-host' });
    assert.match(token, /^[\w-]{24}$/, host);
    assert.notEqual(token, serverToken({ host, tokenFile: 'by-host' }));
    assert.equal(serverToken({ host, tokenFile: 'none' }), 'none');
  }
});
