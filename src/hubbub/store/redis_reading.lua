-- What is asked of a log; the second half of the library that redis_functions.lua begins.

-- What there is after `seen`, at most `most` of it: {epoch, floor, seen, seq, events, mark}.
local function follow(keys, args)
  local epoch, seen, new, most = args[1], tonumber(args[2]), args[3], tonumber(args[4])
  local at = stand(keys, epoch, seen, args[5], args[6] == '1', new)
  seen = behind(at, epoch, seen, most)
  local last = math.min(at.seq, seen + most)
  return { at.epoch, at.floor, seen, at.seq, news(keys, seen, last), mark_of(keys, at, last) }
end

-- The newest chats before a seq, newest first: {more, seq, payload, seq, payload, …}.
local function chats(keys, before, count)
  local at = number(redis.call('HGET', keys[1], 'floor'))
  local last = math.min(before - 1, number(redis.call('HGET', keys[1], 'seq')))
  local found = {}
  while last > at do
    local first = math.max(at + 1, last - math.max(count, 16))
    local records = span(keys, first, last)
    for seq = last, first, -1 do
      local record = records[seq]
      if record and record[4] == '' then
        if #found == 2 * count then return 1, found end
        found[#found + 1] = seq
        found[#found + 1] = record[1]
      end
    end
    last = first - 1
  end
  return 0, found
end

local function open(keys, args)
  local at = stand(keys, '', -1, '', args[3] == '1', args[1])
  local _, found = chats(keys, at.seq + 1, tonumber(args[2]))
  return { at.epoch, at.floor, at.seq, found, at.mark }
end

local function after(keys, args)
  local there = redis.call('HMGET', keys[1], 'seq', 'floor')
  local first = math.max(tonumber(args[1]), number(there[2])) + 1
  local last = math.min(number(there[1]), first - 1 + tonumber(args[2]))
  local records, events, size = span(keys, first, last), {}, 0
  for seq = first, last do
    local payload = records[seq] and records[seq][1] or ''
    size = size + #payload
    if size > tonumber(args[3]) and seq > first then break end
    events[#events + 1] = payload
  end
  return { first, events }
end

local function before(keys, args)
  local more, found = chats(keys, tonumber(args[1]), tonumber(args[2]))
  return { more, found }
end

-- A chat, and the newest replies to it before a seq: {more, chat, reply, …}, oldest first.
local function thread(keys, args)
  local seq, before, count = tonumber(args[1]), tonumber(args[2]), tonumber(args[3])
  local record = record_of(keys, seq)
  if not record or record[4] ~= '' then return false end
  local from, upto = 'p' .. padded(seq) .. ' ', '(p' .. padded(seq) .. ' ' .. padded(before)
  local ties = redis.call('ZRANGE', keys[6], upto, '[' .. from, 'BYLEX', 'REV', 'LIMIT', 0, count + 1)
  local more, found = #ties > count and 1 or 0, { record[1] }
  for place = math.min(#ties, count), 1, -1 do
    local reply = record_of(keys, tonumber(string.sub(ties[place], #from + 1)))
    if reply then found[#found + 1] = reply[1] end
  end
  return { more, unpack(found) }
end

-- Where a log stands: {seq, its last chat}, or {seq} where there is none.
local function head(keys)
  local seq = number(redis.call('HGET', keys[1], 'seq'))
  local _, found = chats(keys, seq + 1, 1)
  return { seq, found[2] }
end

local function author(keys, args)
  local record = record_of(keys, tonumber(args[1]))
  if record and record[4] == '' then return { record[2], record[1] } end
  return false
end

-- Which of the `PIECE` events before `last` are this author's chats: {where to go on, seqs}.
local function writings(keys, args)
  local whose, last = args[1], tonumber(args[2])
  local there = redis.call('HMGET', keys[1], 'seq', 'floor')
  last = math.min(last, number(there[1]))
  local first = math.max(number(there[2]) + 1, last - PIECE + 1)
  local records, found = span(keys, first, last), {}
  for seq = last, first, -1 do
    local record = records[seq]
    if record and record[4] == '' and record[2] == whose then
      if not is_deleted(record[1]) then found[#found + 1] = seq end
    end
  end
  return { first - 1 > number(there[2]) and first - 1 or 0, found }
end

redis.register_function('@NAME@_follow', follow)
redis.register_function('@NAME@_open', open)

local function reading(name, callback)
  redis.register_function({ function_name = name, callback = callback, flags = { 'no-writes' } })
end

reading('@NAME@_after', after)
reading('@NAME@_before', before)
reading('@NAME@_thread', thread)
reading('@NAME@_head', head)
reading('@NAME@_author', author)
reading('@NAME@_writings', writings)
