/**
 * What servers do in Redis, each in one step. Every script that changes a lab checks its epoch first: whoever had it
 * before changes nothing any more.
 *
 *   PREFIX:server:ID     the address of a server, for as long as its lease lasts
 *   PREFIX:servers       the ids of all that may have labs
 *   PREFIX:labs:ID       the names of the labs that a server owns
 *   PREFIX:lab:NAME      a hash: owner, epoch, model, kept (a lab file); of each recording `header:` and `at:`
 *   PREFIX:codes         join code to name
 *   PREFIX:log:NAME:REC  a stream: lines of a recording, each entry numbered by the byte at which it ends
 *   PREFIX:point:NAME:REC, PREFIX:older-point:NAME:REC  checkpoints
 *
 * Keys follow from names within a script, so all have to be in one Redis: a cluster of several is not for this.
 */
import { createHash } from 'node:crypto';

export interface Script {
  readonly text: string;
  readonly sha: string;
}

/** All get the prefix as their only key. */
export function script(flags: 'allow-oom' | 'deny-oom', body: string): Script {
  // Without the flag a script does not begin when Redis is full.
  const first = flags === 'allow-oom' ? '#!lua flags=allow-oom' : '#!lua';
  const text = `${first}\nlocal p = KEYS[1]\n${body}`;
  return { text, sha: createHash('sha1').update(text).digest('hex') };
}

/** ARGV: name, epoch. */
const CHECK_EPOCH = `
local lab = p .. ':lab:' .. ARGV[1]
if redis.call('HGET', lab, 'epoch') ~= ARGV[2] then return 'fenced' end
`;

/**
 * ARGV: name, epoch, recording, begin, end, lines. 'gap': the recording does not end at `begin`. Twice is as good as
 * once: whoever had no answer asks again.
 */
export const APPEND = script(
  'deny-oom',
  `${CHECK_EPOCH}
local at = redis.call('HGET', lab, 'at:' .. ARGV[3]) or '0'
if at == ARGV[5] then return 'ok' end
if at ~= ARGV[4] then return 'gap' end
redis.call('XADD', p .. ':log:' .. ARGV[1] .. ':' .. ARGV[3], ARGV[5] .. '-0', 'l', ARGV[6])
if at == '0' then
  redis.call('HSET', lab, 'header:' .. ARGV[3], string.match(ARGV[6], '^[^\\n]*\\n'))
end
redis.call('HSET', lab, 'at:' .. ARGV[3], ARGV[5])
return 'ok'`,
);

/** ARGV: name, epoch, recording, end, lines. The recording has these lines from now on, and no others. */
export const REWRITE = script(
  'deny-oom',
  `${CHECK_EPOCH}
local log = p .. ':log:' .. ARGV[1] .. ':' .. ARGV[3]
redis.call('DEL', log)
redis.call('XADD', log, ARGV[4] .. '-0', 'l', ARGV[5])
redis.call('HSET', lab, 'at:' .. ARGV[3], ARGV[4])
return 'ok'`,
);

/** ARGV: name, epoch, recording, join code, text. The recordings that counted before are removed. */
export const KEEP = script(
  'deny-oom',
  `${CHECK_EPOCH}
redis.call('HSET', lab, 'kept', ARGV[5], 'code', ARGV[4])
redis.call('HSET', p .. ':codes', ARGV[4], ARGV[1])
for _, field in ipairs(redis.call('HKEYS', lab)) do
  local other = string.match(field, '^at:(.*)$')
  if other and other ~= ARGV[3] then
    local of = ARGV[1] .. ':' .. other
    redis.call('UNLINK', p .. ':log:' .. of, p .. ':point:' .. of, p .. ':older-point:' .. of)
    redis.call('HDEL', lab, field, 'header:' .. other)
  end
end
return 'ok'`,
);

/** ARGV: name, epoch, recording, text of the checkpoint. */
export const CHECKPOINT = script(
  'deny-oom',
  `${CHECK_EPOCH}
local of = ARGV[1] .. ':' .. ARGV[3]
if redis.call('EXISTS', p .. ':point:' .. of) == 1 then
  redis.call('RENAME', p .. ':point:' .. of, p .. ':older-point:' .. of)
end
redis.call('SET', p .. ':point:' .. of, ARGV[4])
return 'ok'`,
);

/** ARGV: name, epoch, recording, place. Entries that end at or before byte `place` are removed. */
export const TRIM = script(
  'allow-oom',
  `${CHECK_EPOCH}
local first = string.format('%.0f', tonumber(ARGV[4]) + 1)
redis.call('XTRIM', p .. ':log:' .. ARGV[1] .. ':' .. ARGV[3], 'MINID', first .. '-0')
return 'ok'`,
);

const REMOVE = `
local code = redis.call('HGET', lab, 'code')
if code and redis.call('HGET', p .. ':codes', code) == name then redis.call('HDEL', p .. ':codes', code) end
for _, field in ipairs(redis.call('HKEYS', lab)) do
  local recording = string.match(field, '^at:(.*)$')
  if recording then
    local of = name .. ':' .. recording
    redis.call('UNLINK', p .. ':log:' .. of, p .. ':point:' .. of, p .. ':older-point:' .. of)
  end
end
local owner = redis.call('HGET', lab, 'owner')
if owner then redis.call('SREM', p .. ':labs:' .. owner, name) end
redis.call('DEL', lab)
`;

/** ARGV: name, epoch. The lab is over. */
export const OVER = script(
  'allow-oom',
  `${CHECK_EPOCH}
local name = ARGV[1]
${REMOVE}
return 'ok'`,
);

/** ARGV: id, address, milliseconds. Returns: the labs of this server; the addresses of others; labs of those gone. */
export const BEAT = script(
  'allow-oom',
  `local id = ARGV[1]
redis.call('SET', p .. ':server:' .. id, ARGV[2], 'PX', ARGV[3])
redis.call('SADD', p .. ':servers', id)
local others, orphans = {}, {}
for _, other in ipairs(redis.call('SMEMBERS', p .. ':servers')) do
  if other ~= id then
    local address = redis.call('GET', p .. ':server:' .. other)
    if address then
      others[#others + 1] = address
    else
      local labs = redis.call('SMEMBERS', p .. ':labs:' .. other)
      if #labs == 0 then redis.call('SREM', p .. ':servers', other) end
      for _, lab in ipairs(labs) do orphans[#orphans + 1] = lab end
    end
  end
end
return { redis.call('SMEMBERS', p .. ':labs:' .. id), others, orphans }`,
);

/** ARGV: id. The server ends: its labs are for the others at once. */
export const LEAVE = script('allow-oom', `return redis.call('DEL', p .. ':server:' .. ARGV[1])`);

/**
 * ARGV: name, id, 'create' or 'take', hash of the model. Returns: how it is ('new', 'taken', 'mine', 'elsewhere',
 * 'other-model', 'unknown'), and its epoch or the address of its owner. A lab that was begun and never kept is as if it
 * had not been.
 */
export const CLAIM = script(
  'allow-oom',
  `local name, id = ARGV[1], ARGV[2]
local lab = p .. ':lab:' .. name
local owner = redis.call('HGET', lab, 'owner')
local kept = redis.call('HEXISTS', lab, 'kept') == 1
if owner == id and (kept or ARGV[3] == 'create') then
  return { 'mine', redis.call('HGET', lab, 'epoch') }
end
local how = 'new'
if owner then
  local address = owner ~= id and redis.call('GET', p .. ':server:' .. owner)
  if address then return { 'elsewhere', address } end
  if kept then
    -- A server of its model may come.
    if redis.call('HGET', lab, 'model') ~= ARGV[4] then return { 'other-model', '' } end
    how = 'taken'
    redis.call('SREM', p .. ':labs:' .. owner, name)
  else
    ${REMOVE}
  end
end
if how == 'new' and ARGV[3] ~= 'create' then return { 'unknown', '' } end
if how == 'new' then redis.call('HSET', lab, 'model', ARGV[4]) end
local epoch = tostring(redis.call('INCR', p .. ':epoch'))
redis.call('HSET', lab, 'owner', id, 'epoch', epoch)
redis.call('SADD', p .. ':labs:' .. id, name)
return { how, epoch }`,
);

/** ARGV: id. Returns: of each lab of another server that lives its name, what is kept of it, and the address. */
export const LABS_ELSEWHERE = script(
  'allow-oom',
  `local found = {}
for _, other in ipairs(redis.call('SMEMBERS', p .. ':servers')) do
  local address = other ~= ARGV[1] and redis.call('GET', p .. ':server:' .. other)
  if address then
    for _, name in ipairs(redis.call('SMEMBERS', p .. ':labs:' .. other)) do
      local kept = redis.call('HGET', p .. ':lab:' .. name, 'kept')
      if kept then found[#found + 1] = { name, kept, address } end
    end
  end
end
return found`,
);

/** ARGV: name, join code, 'name' or 'code' (a name does not do). Returns: the name, and the address of its owner. */
export const FIND = script(
  'allow-oom',
  `local name = redis.call('HGET', p .. ':codes', ARGV[2])
if ARGV[3] == 'name' and redis.call('EXISTS', p .. ':lab:' .. ARGV[1]) == 1 then name = ARGV[1] end
if not name then return { '', '' } end
local owner = redis.call('HGET', p .. ':lab:' .. name, 'owner')
if not owner then return { '', '' } end
return { name, redis.call('GET', p .. ':server:' .. owner) or '' }`,
);

/** ARGV: name, epoch. Returns: 'fenced', or the kept lab, its recording's header and checkpoints, and where it ends. */
export const READ = script(
  'allow-oom',
  `${CHECK_EPOCH}
local kept = redis.call('HGET', lab, 'kept')
local recording = cjson.decode(kept).journal
local of = ARGV[1] .. ':' .. recording
return {
  kept,
  redis.call('HGET', lab, 'header:' .. recording) or '',
  redis.call('GET', p .. ':point:' .. of) or '',
  redis.call('GET', p .. ':older-point:' .. of) or '',
}`,
);
