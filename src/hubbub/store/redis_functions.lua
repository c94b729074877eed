#!lua name=@NAME@
-- What is done in Redis, each at once: nobody ever sees half of it. This is what changes a log;
-- redis_reading.lua, which goes on from here, is what reads it.
--
-- A log has six keys, which share a hash tag, so that all are in one place of a cluster:
--   head  epoch, seq, ts (of the newest event), floor (events up to it are gone), swept, kept; mark
--         (of the newest event), run (of Redis, in which it was last vouched for)
--   log   the stream: entry `seq-0` has p(ayload), a(uthor), i(d), t(arget: "" for a chat, "0" for
--         what is neither chat nor change), m(ark: of the batch that it came with, and no other)
--   now   seq -> the present form of what was changed, which has left the stream, as it stood there
--         (msgpack of p, a, i, t, m and what redis_conversation.lua has of its reactions); and
--         "c" .. seq -> the seqs of the edits of that chat
--   ids   author and id -> seq:ts:sign, where the sign tells a resend from something else
--   old   the ids of the time before, where events are not kept for ever
--   ties  a sorted set, all of score 0: "p" .. seq .. " " .. seq of a reply to that chat, and
--         "r" .. seq .. " " .. author .. " " .. emoji .. " " .. name of who put it there, both as JSON
--
-- Laws: seq rises by one with each event; ts never goes back; an epoch names a log for as long as
-- its numbers mean the same events; no text of a deleted message stays anywhere.

local CHAT, EVENT, EDIT, REACT = 0, 1, 2, 4 -- and 3: delete
local KEYS_EACH = 6
local FRESH = { changed = true, kept = true, reacted = true } -- results of what is kept anew
local AFTER = { @AFTER@ } -- the fields of a chat that stand after `edited` and `deleted`
local SWEEP_EVERY = 60000
local STEP = 5000 -- events that one sweep lets go of at most
local EMPTY = 86400 -- seconds that a log is remembered in which nothing was said
local DAY = 86400000
local PIECE = 1000 -- values in one command, fewer than fit on Lua's stack

local function number(value)
  return value and tonumber(value) or 0
end

local function whole(value)
  return string.format('%.0f', value)
end

local function begins(text, with)
  return string.sub(text, 1, #with) == with
end

local function gathered(digits)
  local found = {}
  for one in digits do found[#found + 1] = tonumber(one) end
  return found
end

-- A seq that sorts as text as it does as a number.
local function padded(seq)
  return string.format('%016.0f', seq)
end

-- Add the seqs of the replies to a chat, oldest first, to `found`.
local function replies(keys, seq, found)
  local from = 'p' .. padded(seq) .. ' '
  for _, tie in ipairs(redis.call('ZRANGE', keys[6], '[' .. from, '(' .. from .. '~', 'BYLEX')) do
    found[#found + 1] = tonumber(string.sub(tie, #from + 1))
  end
end

local function key_of(author, id)
  return string.char(#author) .. author .. id
end

-- Say something to the nodes that have this log, or room, open. The channel is where its keys are:
-- they begin alike, up to the hash tag, and what is last in the first one has four letters.
local function hint(keys, what)
  redis.call('SPUBLISH', string.sub(keys[1], 1, -5) .. 'hints', what)
end

-- The records first to last that are there, as {p, a, i, t, m}, by seq.
local function span(keys, first, last)
  local found, holes = {}, {}
  if first > last then return found end
  local entries = redis.call('XRANGE', keys[2], whole(first), whole(last))
  for _, entry in ipairs(entries) do
    local fields = entry[2]
    found[tonumber(string.match(entry[1], '%d+'))] = { fields[2], fields[4], fields[6], fields[8], fields[10] or '' }
  end
  if #entries == last - first + 1 then return found end
  for seq = first, last do
    if not found[seq] then holes[#holes + 1] = whole(seq) end
  end
  for from = 1, #holes, PIECE do
    local upto = math.min(from + PIECE - 1, #holes)
    local records = redis.call('HMGET', keys[3], unpack(holes, from, upto))
    for place, record in ipairs(records) do
      if record then found[tonumber(holes[from + place - 1])] = cmsgpack.unpack(record) end
    end
  end
  return found
end

local function record_of(keys, seq)
  return span(keys, seq, seq)[seq]
end

-- Which life of Redis this is: another one after a restart, and after a replica became master.
local function life()
  local told = redis.pcall('INFO', 'replication')
  return type(told) == 'string' and string.match(told, 'master_replid:(%w+)') or ''
end

local function mark_of(keys, at, seq)
  if seq == at.seq then return at.mark end
  local record = record_of(keys, seq)
  return record and record[5] or ''
end

-- Whether what was seen, up to the event `seen` with this mark, is not what is here: then the log
-- lost its tail, and may have got another one in its place.
local function is_torn(keys, at, seen, mark)
  if seen > at.seq then return true end
  if mark == '' or seen <= at.floor then return false end -- nothing is known of it any more
  local found = mark_of(keys, at, seen)
  return found ~= '' and found ~= mark
end

-- Where a log stands; it is made anew where it is gone. `seen` is how far the asker came in
-- `epoch` (-1: it did not look), `mark` what it saw there. A log that lost its tail is another one.
-- So it is where it may have lost it (`careful`: this Redis may lose what was seen) and the first
-- to ask in this life of Redis has not seen it, and so cannot say that it is whole.
local function stand(keys, epoch, seen, mark, careful, new)
  local there =
    redis.call('HMGET', keys[1], 'epoch', 'seq', 'ts', 'floor', 'swept', 'kept', 'mark', 'run')
  local at = {
    epoch = there[1],
    seq = number(there[2]),
    ts = number(there[3]),
    floor = number(there[4]),
    swept = number(there[5]),
    kept = number(there[6]),
    mark = there[7] or '',
  }
  local now, run = life(), there[8] or ''
  if not at.epoch then
    redis.call('UNLINK', keys[2], keys[3], keys[4], keys[5], keys[6])
    at.epoch = (epoch ~= '' and seen == 0) and epoch or new
    redis.call('HSET', keys[1], 'epoch', at.epoch, 'run', now)
    redis.call('EXPIRE', keys[1], EMPTY)
    return at
  end
  local knows = at.epoch == epoch and seen >= 0
  if knows and is_torn(keys, at, seen, mark) or careful and not knows and run ~= now and run ~= '' then
    at.epoch = new
    redis.call('HSET', keys[1], 'epoch', new)
  end
  if run ~= now then redis.call('HSET', keys[1], 'run', now) end
  return at
end

-- From where on the asker is told what there is: of another log it is not all of a long one.
local function behind(at, epoch, seen, most)
  if at.epoch ~= epoch then seen = at.seq - most end
  return math.max(seen, at.floor)
end

-- Events after `seen` up to `last`, each as its payload, or {payload, the chat that it changed,
-- {seq, edit of that, …}} where it changed one: all as they are now.
local function news(keys, seen, last)
  local events, found = {}, span(keys, seen + 1, last)
  for seq = seen + 1, last do
    local record = found[seq]
    local target = record and number(record[4]) or 0
    if target > 0 then
      local chat, emptied = record_of(keys, target), {}
      local others = {}
      if not begins(record[1], '{"type":"reacted",') then
        others = string.gmatch(redis.call('HGET', keys[3], 'c' .. record[4]) or '', '%d+')
        others = gathered(others)
      end
      if begins(record[1], '{"type":"deleted",') then replies(keys, target, others) end
      for _, seq in ipairs(others) do
        local other = record_of(keys, seq)
        if other then
          emptied[#emptied + 1] = seq
          emptied[#emptied + 1] = other[1]
        end
      end
      events[#events + 1] = { record[1], chat and chat[1] or '', emptied }
    else
      events[#events + 1] = record and record[1] or ''
    end
  end
  return events
end

-- A chat's JSON without its reactions, which stand last.
local function bare(payload)
  local from = string.find(payload, ',"reactions":{', 1, true)
  return from and string.sub(payload, 1, from - 1) .. '}' or payload
end

-- Whether a chat is deleted: what it quotes may be, too.
local function is_deleted(chat)
  local from = string.find(chat, ',"ts":', 1, true)
  local mark = string.find(chat, ',"deleted":true', from, true)
  local reply = string.find(chat, ',"reply":{', from, true)
  return mark ~= nil and (not reply or mark < reply)
end

-- JSON as msgspec writes it: no blanks, fields in the order of the struct. A quote inside a string
-- has a backslash before it, so what looks like a key here is one.
local function changed(payload, text, ts, mentions)
  local is_gone = text == '""'
  local from = string.find(payload, '"text":', 1, true) + 7
  local rest = string.sub(payload, string.find(payload, ',"ts":', from, true), -1)
  local place = #rest
  for _, name in ipairs({ 'edited', 'deleted', unpack(AFTER) }) do
    local found = string.find(rest, ',"' .. name .. '":', 1, true)
    if found and found < place then place = found end
  end
  local tail = string.gsub(string.sub(rest, place), '^,"edited":%d+', '')
  if is_gone then tail = bare(tail) end
  local old = string.find(tail, ',"mentions":[', 1, true)
  local last = string.find(tail, ',"reactions":{', 1, true) or #tail
  tail = string.sub(tail, 1, (old or last) - 1) .. mentions .. string.sub(tail, last)
  local mark = is_gone and ',"deleted":true' or ',"edited":' .. whole(ts)
  return string.sub(payload, 1, from - 1) .. text .. string.sub(rest, 1, place - 1) .. mark .. tail
end

local function wordless(payload)
  local from = string.find(payload, '"text":', 1, true) + 7
  local upto = string.find(payload, ',"ts":', from, true)
  local mentions = string.find(payload, ',"mentions":[', upto, true)
  local rest = string.sub(payload, upto, mentions and mentions - 1 or -2)
  return string.sub(payload, 1, from - 1) .. '""' .. rest .. ',"deleted":true}'
end

local function replace(keys, seq, record)
  redis.call('XDEL', keys[2], whole(seq) .. '-0')
  redis.call('HSET', keys[3], whole(seq), cmsgpack.pack(record))
end

-- What is remembered of ids that were used before.
local function used(keys, drafts)
  local seen, names = {}, {}
  for _, draft in ipairs(drafts) do
    if draft[3] ~= '' then names[#names + 1] = key_of(draft[2], draft[3]) end
  end
  for from = 1, #names, PIECE do
    local some = { unpack(names, from, math.min(from + PIECE - 1, #names)) }
    for place, sent in ipairs(redis.call('HMGET', keys[4], unpack(some))) do
      if sent then seen[some[place]] = sent end
    end
    if redis.call('EXISTS', keys[5]) == 1 then
      for place, sent in ipairs(redis.call('HMGET', keys[5], unpack(some))) do
        if sent and not seen[some[place]] then seen[some[place]] = sent end
      end
    end
  end
  return seen
end

-- A sign without its words: whatever is said under this id is a resend of it.
local function unsign(keys, seen, record, sign)
  if record[3] == '' then return end
  local name = key_of(record[2], record[3])
  for _, where in ipairs({ keys[4], keys[5] }) do
    local sent = redis.call('HGET', where, name)
    if sent then
      local bare = string.match(sent, '^%d+:%d+:') .. sign .. '*'
      redis.call('HSET', where, name, bare)
      seen[name] = bare
    end
  end
end

local function same(kept, sign)
  if string.sub(kept, -1) ~= '*' then return kept == sign end
  return string.sub(sign, 1, #kept - 1) == string.sub(kept, 1, -2)
end

local function again(keys, sent, sign)
  local seq, ts, kept = string.match(sent, '^(%d+):(%d+):(.*)$')
  if not same(kept, sign) then return { tonumber(seq), 'reused' } end
  local record = record_of(keys, tonumber(seq))
  return { tonumber(seq), 'again', ts, record and record[1] or '' }
end

@CONVERSATION@
-- Let go of what need not be kept: the oldest events, and in the end their ids.
local function sweep(keys, at, ts, keep_events, keep_time)
  at.swept = ts
  local upto = at.floor
  if keep_events > 0 then upto = math.max(upto, at.seq - keep_events) end
  if keep_time > 0 then
    local low, high = at.floor, at.seq
    while low < high do
      local middle = math.ceil((low + high) / 2)
      local record = record_of(keys, middle)
      local when = record and number(string.match(record[1], '[{,]"ts":(%d+)')) or 0
      if when < ts - keep_time then low = middle else high = middle - 1 end
    end
    upto = math.max(upto, low)
  end
  upto = math.min(upto, at.floor + STEP)
  if upto > at.floor then
    local gone = {}
    for seq = at.floor + 1, upto do
      gone[#gone + 1] = whole(seq)
      gone[#gone + 1] = 'c' .. whole(seq)
    end
    for from = 1, #gone, PIECE do
      redis.call('HDEL', keys[3], unpack(gone, from, math.min(from + PIECE - 1, #gone)))
    end
    redis.call('XTRIM', keys[2], 'MINID', whole(upto + 1))
    for _, kind in ipairs({ 'p', 'r' }) do
      redis.call('ZREMRANGEBYLEX', keys[6], '[' .. kind, '(' .. kind .. padded(upto + 1))
    end
    at.floor = upto
  end
  if at.kept == 0 then
    at.kept = ts
  elseif ts - at.kept > math.max(DAY, keep_time) then
    redis.call('UNLINK', keys[5])
    if redis.call('EXISTS', keys[4]) == 1 then redis.call('RENAME', keys[4], keys[5]) end
    at.kept = ts
  end
  redis.call('HSET', keys[1], 'floor', whole(at.floor), 'swept', whole(ts), 'kept', whole(at.kept))
end

-- One log of a batch: `one` keeps a draft and says whether it is kept anew, `finish` gives the
-- answer for the log. `behind`, if the asker has missed too much to be told in one go.
local function begin(keys, packed)
  local ask = cmsgpack.unpack(packed)
  local node, epoch, seen, new, now, most, keep_events, keep_time, drafts = unpack(ask)
  local mark, batch, careful = unpack(ask, 10)
  local at = stand(keys, epoch, seen, mark, careful, new)
  if seen >= 0 then seen = behind(at, epoch, seen, most) end
  if seen >= 0 and at.seq - seen > most then
    return { behind = { at.epoch, at.floor, seen, false } }
  end
  local missed = seen >= 0 and news(keys, seen, at.seq) or {}
  local sent, fresh, results = used(keys, drafts), {}, {}
  local ts, start = math.max(at.ts, now), at.seq
  local stamp = whole(ts)

  local function add(draft, target, last)
    at.seq = at.seq + 1
    local seq = whole(at.seq)
    local first, second = stamp, seq
    if draft[8] then first, second = seq, stamp end
    local payload = draft[5] .. first .. draft[6] .. second .. (last or draft[7])
    redis.call('XADD', keys[2], seq .. '-0', 'p', payload, 'a', draft[2], 'i', draft[3], 't', target,
      'm', batch)
    if draft[3] ~= '' then
      local name = key_of(draft[2], draft[3])
      sent[name] = seq .. ':' .. stamp .. ':' .. draft[4]
      fresh[#fresh + 1] = name
      fresh[#fresh + 1] = sent[name]
    end
    return at.seq, payload
  end

  local function remember()
    for from = 1, #fresh, PIECE do
      redis.call('HSET', keys[4], unpack(fresh, from, math.min(from + PIECE - 1, #fresh)))
    end
    fresh = {}
  end

  local function change(draft)
    remember()
    local target, text, is_moderator = draft[9], draft[10], draft[11]
    local record = (target >= 1 and target <= at.seq) and record_of(keys, target)
    if not record or record[4] ~= '' then return { 0, 'refused' } end
    local is_theirs = record[2] == draft[2] or is_moderator
    local chat = record[1]
    if not is_theirs then return { 0, 'refused', record[2], chat } end
    local now_it_is = changed(chat, text, ts, draft[12])
    if is_deleted(chat) then return { 0, 'refused', record[2], chat } end
    record[1] = now_it_is
    if draft[1] ~= EDIT then
      record[6] = nil
      local put = 'r' .. padded(target) .. ' '
      redis.call('ZREMRANGEBYLEX', keys[6], '[' .. put, '(' .. put .. '~')
    end
    replace(keys, target, record)
    local changes = 'c' .. whole(target)
    local edits = redis.call('HGET', keys[3], changes) or ''
    if draft[1] == EDIT then
      redis.call('HSET', keys[3], changes, edits .. whole(at.seq + 1) .. ' ')
    else
      unsign(keys, sent, record, 'c')
      local emptied = {}
      for seq in string.gmatch(edits, '%d+') do
        local edited = record_of(keys, tonumber(seq))
        if edited then
          edited[1] = wordless(edited[1])
          replace(keys, tonumber(seq), edited)
          unsign(keys, sent, edited, 'u' .. whole(target) .. ':')
          emptied[#emptied + 1] = tonumber(seq)
          emptied[#emptied + 1] = edited[1]
        end
      end
      local ties = {}
      replies(keys, target, ties)
      for _, seq in ipairs(ties) do
        local reply = record_of(keys, seq)
        if reply then
          reply[1] = unquoted(reply[1])
          replace(keys, seq, reply)
          emptied[#emptied + 1] = seq
          emptied[#emptied + 1] = reply[1]
        end
      end
      return { (add(draft, whole(target))), 'changed', now_it_is, emptied }
    end
    return { (add(draft, whole(target))), 'changed', now_it_is, {} }
  end

  -- The chat of a seq if it can be answered or reacted to, else what is wrong.
  local function living(seq)
    local record = (seq >= 1 and seq <= at.seq) and record_of(keys, seq)
    if not record or record[4] ~= '' then return nil, { 0, 'refused' } end
    if is_deleted(record[1]) then return nil, { 0, 'refused', record[2], record[1] } end
    return record
  end

  local function reply(draft)
    local target = draft[9]
    local record, refusal = living(target)
    if not record then return refusal end
    local seq, payload = add(draft, '', quoting(draft[7], target, record[1]))
    redis.call('ZADD', keys[6], 0, 'p' .. padded(target) .. ' ' .. padded(seq))
    return { seq, 'kept', payload }
  end

  local function react(draft)
    remember()
    local target = draft[9]
    local record, refusal = living(target)
    if not record then return refusal end
    local what, stand = reaction(keys, record, draft, target)
    if what ~= 'changed' then return { 0, what, record[2], record[1] } end
    replace(keys, target, record)
    local seq, payload = add(draft, whole(target), stand)
    return { seq, 'reacted', record[1], payload }
  end

  local function one(draft)
    local name, result = draft[3] ~= '' and key_of(draft[2], draft[3]), nil
    if name and sent[name] then
      result = again(keys, sent[name], draft[4])
    elseif draft[1] == REACT then
      result = react(draft)
    elseif draft[1] >= EDIT then
      result = change(draft)
    elseif draft[9] then
      result = reply(draft)
    else
      result = (add(draft, draft[1] == CHAT and '' or '0'))
    end
    results[#results + 1] = result
    return type(result) == 'number' or FRESH[result[2]] ~= nil
  end

  local function finish()
    remember()
    if at.seq > start then
      at.mark = batch
      redis.call('HSET', keys[1], 'seq', whole(at.seq), 'ts', stamp, 'mark', batch)
      if start == 0 then redis.call('PERSIST', keys[1]) end
      if keep_events > 0 or keep_time > 0 then
        local over = keep_events > 0 and at.seq - at.floor - keep_events or 0
        if over > math.max(16, keep_events / 8) or now - at.swept > SWEEP_EVERY then
          sweep(keys, at, now, keep_events, keep_time)
        end
      end
      hint(keys, cmsgpack.pack({ node, at.epoch, at.seq }))
    end
    return { at.epoch, at.floor, seen, missed, ts, results, at.mark }
  end

  return { drafts = drafts, results = results, one = one, finish = finish }
end

local function append(keys, args)
  local log = begin(keys, args[1])
  if log.behind then return log.behind end
  for _, draft in ipairs(log.drafts) do log.one(draft) end
  return log.finish()
end

-- Several logs at once, where drafts follow others: the order, as {which log, whether it follows},
-- and then what `append` takes, for each log. Nothing is done if one of them is behind.
local function append_all(keys, args)
  local logs, answers, is_behind, led = {}, {}, false, true
  for n = 1, #args - 1 do
    logs[n] = begin({ unpack(keys, (n - 1) * KEYS_EACH + 1, n * KEYS_EACH) }, args[n + 1])
    logs[n].next = 1
    is_behind = is_behind or logs[n].behind ~= nil
  end
  if is_behind then
    for n, log in ipairs(logs) do answers[n] = log.behind or { '', 0, 0, false } end
    return answers
  end
  for _, place in ipairs(cmsgpack.unpack(args[1])) do
    local log, follows = logs[place[1]], place[2]
    local draft = log.drafts[log.next]
    log.next = log.next + 1
    if not follows then
      led = log.one(draft)
    elseif led then
      log.one(draft)
    else
      log.results[#log.results + 1] = { 0, 'unled' }
    end
  end
  for n, log in ipairs(logs) do answers[n] = log.finish() end
  return answers
end

redis.register_function('@NAME@_append', append)
redis.register_function('@NAME@_append_all', append_all)
