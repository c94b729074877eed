-- How far users have read; a part of the library that redis_functions.lua begins.
--
-- Beside its six keys a log has a seventh here: user -> "seq epoch". What was marked in another
-- epoch counts for nothing: its numbers mean other events.

local function read_by(keys, user)
  local kept = redis.call('HGET', keys[7], user)
  local seq, epoch = string.match(kept or '', '^(%d+) (.*)$')
  return epoch and epoch == redis.call('HGET', keys[1], 'epoch') and tonumber(seq) or nil
end

-- A user has read up to here; gives how far that is, and whether it is news (1), or false where the
-- log has not come so far.
local function mark(keys, args)
  local user, seq = args[1], tonumber(args[2])
  local there = redis.call('HMGET', keys[1], 'seq', 'epoch')
  if seq > number(there[1]) then return false end
  local before = read_by(keys, user)
  if before and before >= seq then return { before, 0 } end
  redis.call('HSET', keys[7], user, whole(seq) .. ' ' .. there[2])
  return { seq, 1 }
end

-- What of the `PIECE` events before `last` a user has not read, up to `most` chats:
-- {read, where to go on, how many chats, those of them that mention anyone}.
local function unread(keys, args)
  local user, last, most = args[1], tonumber(args[2]), tonumber(args[3])
  local read = read_by(keys, user)
  if not read then return false end
  local there = redis.call('HMGET', keys[1], 'seq', 'floor')
  local floor = math.max(read, number(there[2]))
  last = math.min(last, number(there[1]))
  local first = math.max(floor + 1, last - PIECE + 1)
  local records, count, calling = span(keys, first, last), 0, {}
  for seq = last, first, -1 do
    local record = records[seq]
    if record and record[4] == '' and record[2] ~= user and not is_deleted(record[1]) then
      count = count + 1
      if string.find(record[1], '"mentions":[', 1, true) then calling[#calling + 1] = record[1] end
      if count == most then return { read, 0, count, calling } end
    end
  end
  return { read, first - 1 > floor and first - 1 or 0, count, calling }
end

redis.register_function('@NAME@_mark', mark)
reading('@NAME@_unread', unread)
