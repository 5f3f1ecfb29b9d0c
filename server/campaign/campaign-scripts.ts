/**
 * What campaigns are in Redis, and each change of them in one step. Any of the scripts may run twice.
 *
 *   PREFIX:campaigns               ids by the time at which they began
 *   PREFIX:campaign:ID             a hash: model, code, state, units, how many are skipped, statistics
 *   PREFIX:campaign-spec:ID        what it asks
 *   PREFIX:campaign-batches:ID     a list: the batches of units, as they were queued
 *   PREFIX:campaign-left:ID        a set: units that are still to be answered
 *   PREFIX:campaign-aside:ID       a hash: units that were set aside, and why
 *   PREFIX:campaign-result:UNIT    how many milliseconds it took, and the value, for all campaigns that ask for it
 *   PREFIX:campaign-core:CORE      what units are about
 *   PREFIX:campaign-workers        ids of workers by their last sign of life; campaign-worker-facts: what they said
 *
 * The queues themselves are BullMQ's, below PREFIX:units: see campaign-queue.ts.
 */
import { script } from '../cluster/scripts.ts';

/** Seconds for which campaigns and values are kept after they were last used. */
export const KEPT_SECONDS = 30 * 24 * 60 * 60;

const KEYS_OF = `
local id = ARGV[1]
local campaign = p .. ':campaign:' .. id
local left = p .. ':campaign-left:' .. id
`;

/** ARGV: core, its text. */
export const PUT_CORE = script(
  'deny-oom',
  `redis.call('SET', p .. ':campaign-core:' .. ARGV[1], ARGV[2], 'EX', ${KEPT_SECONDS})
return 'ok'`,
);

/** ARGV: core. */
export const GET_CORE = script(
  'allow-oom',
  `return redis.call('GET', p .. ':campaign-core:' .. ARGV[1]) or ''`,
);

/** ARGV: units. Which of them are answered: 1 or 0 for each. They are kept for longer. */
export const KNOWN = script(
  'allow-oom',
  `local known = {}
for at, unit in ipairs(ARGV) do
  known[at] = redis.call('EXPIRE', p .. ':campaign-result:' .. unit, ${KEPT_SECONDS})
end
return known`,
);

/** ARGV: units. Their values, empty for none. */
export const SCRIPT_VALUES = script(
  'allow-oom',
  `local values = {}
for at, unit in ipairs(ARGV) do
  values[at] = redis.call('GET', p .. ':campaign-result:' .. unit) or ''
end
return values`,
);

/** ARGV: id, facts as JSON (strings), batches as JSON: [[text, [unit, ...]], ...], what it asks. */
export const BEGIN = script(
  'deny-oom',
  `${KEYS_OF}
if redis.call('EXISTS', campaign) == 1 then return 'ok' end
for name, value in pairs(cjson.decode(ARGV[2])) do redis.call('HSET', campaign, name, value) end
local batches = p .. ':campaign-batches:' .. id
for _, batch in ipairs(cjson.decode(ARGV[3])) do
  redis.call('RPUSH', batches, batch[1])
  for _, unit in ipairs(batch[2]) do redis.call('SADD', left, unit) end
end
redis.call('SET', p .. ':campaign-spec:' .. id, ARGV[4], 'EX', ${KEPT_SECONDS})
redis.call('ZADD', p .. ':campaigns', redis.call('TIME')[1], id)
for _, key in ipairs({campaign, left, batches}) do redis.call('EXPIRE', key, ${KEPT_SECONDS}) end
redis.call('ZREMRANGEBYSCORE', p .. ':campaigns', '-inf', redis.call('TIME')[1] - ${KEPT_SECONDS})
return 'ok'`,
);

/** ARGV: id, from, to. */
export const BATCHES = script(
  'allow-oom',
  `return redis.call('LRANGE', p .. ':campaign-batches:' .. ARGV[1], ARGV[2], ARGV[3])`,
);

/** ARGV: id, state, the state that it must have. Answers with the state that it has then. */
export const TURN = script(
  'allow-oom',
  `${KEYS_OF}
if redis.call('HGET', campaign, 'state') == ARGV[3] then redis.call('HSET', campaign, 'state', ARGV[2]) end
return redis.call('HGET', campaign, 'state') or ''`,
);

/**
 * ARGV: id, unit, the random search that it is a part of, its first execution. 'run' if it is to be answered: else it
 * is answered already, the campaign is over, or an earlier part has failed, behind which none counts.
 */
export const TAKE = script(
  'allow-oom',
  `${KEYS_OF}
if redis.call('HGET', campaign, 'state') ~= 'running' and redis.call('HGET', campaign, 'state') ~= 'begun' then
  return 'over'
end
if redis.call('SISMEMBER', left, ARGV[2]) == 0 then return 'answered' end
if redis.call('EXISTS', p .. ':campaign-result:' .. ARGV[2]) == 1 then
  redis.call('SREM', left, ARGV[2])
  redis.call('HINCRBY', campaign, 'reused', 1)
  return 'answered'
end
local failed = redis.call('HGET', campaign, 'failed:' .. ARGV[3])
if failed and tonumber(failed) < tonumber(ARGV[4]) then
  redis.call('SREM', left, ARGV[2])
  redis.call('HINCRBY', campaign, 'skipped', 1)
  return 'not needed'
end
return 'run'`,
);

/** ARGV: id, unit, value, milliseconds, kind, random search, the first execution of a part that failed or ''. */
export const DONE = script(
  'deny-oom',
  `${KEYS_OF}
local key = p .. ':campaign-result:' .. ARGV[2]
local known = redis.call('GET', key)
local said = 'ok'
if known and string.sub(known, string.find(known, '\\n') + 1) ~= ARGV[3] then
  redis.call('HSET', campaign, 'differs', ARGV[2])
  said = 'differs'
end
if not known then redis.call('SET', key, ARGV[4] .. '\\n' .. ARGV[3], 'EX', ${KEPT_SECONDS}) end
if ARGV[7] ~= '' then
  local failed = redis.call('HGET', campaign, 'failed:' .. ARGV[6])
  if not failed or tonumber(ARGV[7]) < tonumber(failed) then
    redis.call('HSET', campaign, 'failed:' .. ARGV[6], ARGV[7])
  end
end
if redis.call('SREM', left, ARGV[2]) == 1 then
  local ms = tonumber(ARGV[4])
  redis.call('HINCRBY', campaign, 'n:' .. ARGV[5], 1)
  redis.call('HINCRBYFLOAT', campaign, 'ms:' .. ARGV[5], ms)
  redis.call('HINCRBYFLOAT', campaign, 'sq:' .. ARGV[5], ms * ms)
end
return said`,
);

/** ARGV: id, unit, why. A unit that was answered meanwhile stays answered. */
export const ASIDE = script(
  'allow-oom',
  `${KEYS_OF}
if redis.call('SREM', left, ARGV[2]) == 1 then
  redis.call('HSET', p .. ':campaign-aside:' .. id, ARGV[2], ARGV[3])
  redis.call('EXPIRE', p .. ':campaign-aside:' .. id, ${KEPT_SECONDS})
end
return 'ok'`,
);

/** ARGV: id. What it asks; empty if there is no such campaign. */
export const SPEC = script(
  'allow-oom',
  `return redis.call('GET', p .. ':campaign-spec:' .. ARGV[1]) or ''`,
);

/** ARGV: id. How far it is, as JSON; empty if there is no such campaign. Where nothing is left, it is done. */
export const LOOK = script(
  'allow-oom',
  `${KEYS_OF}
if redis.call('EXISTS', campaign) == 0 then return '' end
local count = redis.call('SCARD', left)
local state = redis.call('HGET', campaign, 'state')
if count == 0 and (state == 'running' or state == 'begun') then
  redis.call('HSET', campaign, 'state', 'done')
end
local facts = {}
local all = redis.call('HGETALL', campaign)
for at = 1, #all, 2 do facts[all[at]] = all[at + 1] end
facts.left = tostring(count)
local aside = {}
local set = redis.call('HGETALL', p .. ':campaign-aside:' .. id)
for at = 1, #set, 2 do aside[at] = set[at]; aside[at + 1] = set[at + 1] end
return cjson.encode({ facts = facts, aside = aside })`,
);

/** Ids, the latest first. */
export const LIST = script(
  'allow-oom',
  `return redis.call('ZREVRANGE', p .. ':campaigns', 0, 199)`,
);

/** ARGV: worker, what it says of itself, milliseconds for which that holds. Answers with what campaigns there are. */
export const BEAT_WORKER = script(
  'allow-oom',
  `local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local workers = p .. ':campaign-workers'
local facts = p .. ':campaign-worker-facts'
redis.call('ZADD', workers, now + ARGV[3], ARGV[1])
redis.call('HSET', facts, ARGV[1], ARGV[2])
for _, gone in ipairs(redis.call('ZRANGEBYSCORE', workers, '-inf', now)) do
  redis.call('ZREM', workers, gone)
  redis.call('HDEL', facts, gone)
end
local open = {}
for _, id in ipairs(redis.call('ZREVRANGE', p .. ':campaigns', 0, 199)) do
  local of = redis.call('HMGET', p .. ':campaign:' .. id, 'state', 'model', 'code')
  if of[1] then open[#open + 1] = { id, of[1], of[2], of[3] } end
end
return cjson.encode(open)`,
);

/** ARGV: worker. */
export const LEAVE_WORKER = script(
  'allow-oom',
  `redis.call('ZREM', p .. ':campaign-workers', ARGV[1])
redis.call('HDEL', p .. ':campaign-worker-facts', ARGV[1])
return 'ok'`,
);

/** What workers say of themselves. */
export const WORKERS = script(
  'allow-oom',
  `local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local said = {}
for at, id in ipairs(redis.call('ZRANGEBYSCORE', p .. ':campaign-workers', now, '+inf')) do
  said[at] = redis.call('HGET', p .. ':campaign-worker-facts', id) or '{}'
end
return said`,
);

/** What Redis says of its memory. */
export const MEMORY = script('allow-oom', `return redis.call('INFO', 'memory')`);
