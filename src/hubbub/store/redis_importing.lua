-- A log made again from what an export says of it; a part of the library that redis_functions.lua
-- begins. It is made under other names, a piece at a time, and gets its own in the end: so nobody
-- ever sees half of it, and what a killed import left is gone after a day.

-- Events, ascending: {seq, payload, author, id, target, sent, mark, what more there is of its kind}.
-- Gives the place of the first whose id was there already, or 0.
local function restore(keys, args)
  local batch, floor, ts, rows = args[1], tonumber(args[2]), args[3], cmsgpack.unpack(args[4])
  local again = 0
  for place, row in ipairs(rows) do
    local seq, payload, author, id, target, sent, kind, more = unpack(row, 1, 8)
    if sent ~= '' and redis.call('HSETNX', keys[4], key_of(author, id), sent) == 0 and again == 0 then
      again = place
    end
    local about = number(target)
    if kind == 'reactions' then -- with what is known of them, as after a change
      redis.call('HSET', keys[3], whole(seq), cmsgpack.pack({ payload, author, id, target, batch, more }))
    elseif kind ~= 'used' then
      redis.call('XADD', keys[2], whole(seq) .. '-0', 'p', payload, 'a', author, 'i', id, 't', target,
        'm', batch)
    end
    if kind == 'edited' and about > floor then
      local edits = 'c' .. whole(about)
      redis.call('HSET', keys[3], edits, (redis.call('HGET', keys[3], edits) or '') .. whole(seq) .. ' ')
    elseif kind == 'deleted' then
      local tie = 'r' .. padded(about) .. ' '
      redis.call('ZREMRANGEBYLEX', keys[6], '[' .. tie, '(' .. tie .. '~')
    elseif kind == 'reacted' and about > floor then
      local tie = 'r' .. padded(about) .. ' ' .. author .. ' ' .. more[1] .. ' '
      redis.call('ZREMRANGEBYLEX', keys[6], '[' .. tie, '(' .. tie .. '~')
      if more[2] then redis.call('ZADD', keys[6], 0, tie .. more[3]) end
    end
    local reply = row[9]
    if reply and reply > floor then
      redis.call('ZADD', keys[6], 0, 'p' .. padded(reply) .. ' ' .. padded(seq))
    end
  end
  redis.call('HSET', keys[1], 'ts', ts)
  for _, key in ipairs(keys) do redis.call('EXPIRE', key, EMPTY) end
  return again
end

-- Let a log have its own name: the keys that it has now, then those that it gets. 0: somebody else
-- has that meanwhile.
local function adopt(keys)
  local half = #keys / 2
  if number(redis.call('HGET', keys[half + 1], 'seq')) > 0 then return 0 end
  for place = 1, half do
    local made, own = keys[place], keys[half + place]
    redis.call('UNLINK', own)
    if redis.call('EXISTS', made) == 1 then
      redis.call('RENAME', made, own)
      redis.call('PERSIST', own)
    end
  end
  if number(redis.call('HGET', keys[half + 1], 'seq')) == 0 then
    redis.call('EXPIRE', keys[half + 1], EMPTY)
  end
  return 1
end

-- Take back a log that this batch made, if nothing was said in it since.
local function disown(keys, args)
  if redis.call('HGET', keys[1], 'mark') == args[1] then redis.call('UNLINK', unpack(keys)) end
end

redis.register_function('@NAME@_restore', restore)
redis.register_function('@NAME@_adopt', adopt)
redis.register_function('@NAME@_disown', disown)
