-- What messages have to do with each other, as `hubbub.store.conversation` has it: a part of
-- redis_functions.lua. JSON is as msgspec writes it, so a quote within a string has a backslash
-- before it, and what looks like a key is one.

local QUOTED, SHOWN = @QUOTED@, @SHOWN@

-- The first `most` characters of a string in JSON.
local function first_of(text, most)
  local at, count = 2, 0
  while count < most and at < #text do
    local byte = string.byte(text, at)
    if byte == 92 then
      at = at + (string.sub(text, at + 1, at + 1) == 'u' and 6 or 2)
    else
      at = at + (byte < 128 and 1 or byte < 224 and 2 or byte < 240 and 3 or 4)
    end
    count = count + 1
  end
  return string.sub(text, 1, at - 1) .. '"'
end

-- Where what may stand behind a chat's quote begins.
local function after_quote(payload, from)
  return string.find(payload, ',"mentions":[', from, true)
    or string.find(payload, ',"reactions":{', from, true)
    or #payload
end

-- The last part of a reply's JSON, with what it quotes of `chat`.
local function quoting(last, seq, chat)
  local name = string.find(chat, ',"username":', 1, true)
  local text = string.find(chat, ',"text":', name, true)
  local words = string.sub(chat, text + 8, string.find(chat, ',"ts":', text, true) - 1)
  local quote = ',"reply":{"seq":' .. whole(seq) .. string.sub(chat, name, text - 1) .. ',"text":'
  local place = after_quote(last, 1)
  return string.sub(last, 1, place - 1) .. quote .. first_of(words, QUOTED) .. '}' .. string.sub(last, place)
end

local function unquoted(payload)
  local from = string.find(payload, ',"reply":{', string.find(payload, ',"ts":', 1, true), true)
  local text = string.find(payload, ',"text":', from, true)
  local place = after_quote(payload, text)
  return string.sub(payload, 1, text) .. '"text":"","deleted":true}' .. string.sub(payload, place)
end

local function stand_of(one)
  return '"count":' .. whole(one[2]) .. ',"users":[' .. table.concat(one[3], ',') .. ']}'
end

-- Put an emoji on a chat or take it away: record[6] has {emoji, count, names} for each, as JSON.
-- What came of it, and how the emoji stands then, as the end of the event's JSON.
local function reaction(keys, record, draft, target)
  local emoji, on, most, name = draft[10], draft[11], draft[12], draft[13]
  local tie = 'r' .. padded(target) .. ' ' .. draft[2] .. ' ' .. emoji .. ' '
  local there = redis.call('ZRANGE', keys[6], '[' .. tie, '(' .. tie .. '~', 'BYLEX')[1]
  if on == (there ~= nil) then return 'unchanged' end
  local all, here, place = record[6] or {}, nil, nil
  for at, one in ipairs(all) do
    if one[1] == emoji then here, place = one, at end
  end
  if not here then
    if #all >= most then return 'refused' end
    place = #all + 1
    here = { emoji, 0, {} }
    all[place] = here
  end
  local names = here[3]
  if on then
    here[2] = here[2] + 1
    if #names < SHOWN then names[#names + 1] = name end
    redis.call('ZADD', keys[6], 0, tie .. name)
  else
    here[2] = here[2] - 1
    local was = string.sub(there, #tie + 1)
    for at, one in ipairs(names) do
      if one == was then
        table.remove(names, at)
        break
      end
    end
    redis.call('ZREM', keys[6], there)
    if here[2] == 0 then table.remove(all, place) end
  end
  local shown = {}
  for at, one in ipairs(all) do shown[at] = one[1] .. ':{' .. stand_of(one) end
  record[6] = all
  record[1] = bare(record[1])
  if #shown > 0 then
    record[1] = string.sub(record[1], 1, -2) .. ',"reactions":{' .. table.concat(shown, ',') .. '}}'
  end
  return 'changed', ',' .. stand_of(here)
end
