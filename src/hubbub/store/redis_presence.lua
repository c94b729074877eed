-- Who is in which room; the third part of the library that redis_functions.lua begins.
--
-- A room has two keys, which share the hash tag of its log:
--   here   ":" .. key -> an occupant, as msgpack of the fields of `protocol.presence.Occupant`, or
--          "=" and the key under which that is, for its look; and stamp, version, order
--   moves  the last batches of changes as msgpack, newest first: one for each version
-- The nodes have three, with a tag of their own:
--   leases  node -> when its lease ends, in ms of Redis' clock
--   dead    node -> since when it is taken for dead
--   rooms   of one node: room -> how many are in it, where it can have people
--
-- Laws: version rises by one with each batch, and a stamp names an account for as long as its
-- versions mean the same; no key is in a room twice; a node that was taken for dead never lives
-- again under its name, so what it held can be let go of by anyone, at any time, and twice.

local BATCHES = 256

local function field(key)
  return ':' .. key
end

local function stand_here(keys, stamp, known, new)
  local there = redis.call('HMGET', keys[1], 'stamp', 'version', 'order')
  local at = { stamp = there[1], version = number(there[2]), order = number(there[3]), told = {} }
  if not at.stamp then
    redis.call('UNLINK', keys[1], keys[2])
    at.stamp = new
    redis.call('HSET', keys[1], 'stamp', new)
    redis.call('EXPIRE', keys[1], EMPTY)
  elseif at.stamp == stamp and known > at.version then
    at.stamp = new -- it lost its tail: another account, with what is left
    redis.call('UNLINK', keys[2])
    redis.call('HSET', keys[1], 'stamp', new)
  end
  return at
end

local function read(packed)
  local who = cmsgpack.unpack(packed)
  who[11] = who[11] or {} -- of before there were seats
  return who
end

local function occupant(keys, key)
  local found = redis.call('HGET', keys[1], field(key))
  if found and string.sub(found, 1, 1) == '=' then
    found = redis.call('HGET', keys[1], field(string.sub(found, 2)))
  end
  return found and read(found)
end

-- Those whose name is the same as `who`'s: two, where it has two keys.
local function holders(keys, who)
  local found = { occupant(keys, who[1]) or nil }
  if who[2] ~= who[1] then
    local other = occupant(keys, who[2])
    if other and not (found[1] and found[1][1] == other[1]) then found[#found + 1] = other end
  end
  return found
end

local function put(keys, who)
  redis.call('HSET', keys[1], field(who[1]), cmsgpack.pack(who))
  if who[2] ~= who[1] then redis.call('HSET', keys[1], field(who[2]), '=' .. who[1]) end
end

local function drop(keys, who)
  redis.call('HDEL', keys[1], field(who[1]), field(who[2]))
end

local function tell(at, ...)
  at.told[#at.told + 1] = { ... }
end

local function holds(who, node)
  for place, one in ipairs(who[9]) do
    if one == node then return place end
  end
end

-- The place of a node's seat, which is {node, addresses, whether they moderate the room}.
local function seated(who, node)
  for place, seat in ipairs(who[11]) do
    if seat[1] == node then return place end
  end
end

-- The seat that a node gives to `who`, as it says.
local function seat_of(who, node)
  local seat = who[11][1] or { node, {}, false }
  seat[1] = node
  return seat
end

-- Take a node off someone; who has no other goes.
local function let_go(keys, at, who, node)
  local place = holds(who, node)
  if not place then return end
  table.remove(who[9], place)
  local seat = seated(who, node)
  if seat then table.remove(who[11], seat) end
  if #who[9] == 0 then
    drop(keys, who)
    tell(at, 'out', who[1])
  else
    put(keys, who)
    tell(at, 'set', who[1], who)
  end
end

-- Let a node, and no other, hold someone.
local function hold(at, who, node)
  who[9], who[10], who[11] = { node }, at.version + 1, { seat_of(who, node) }
end

local function add(keys, at, who, node)
  if who[8] == 0 then
    at.order = at.order + 1
    who[8] = at.order
  end
  at.order = math.max(at.order, who[8])
  hold(at, who, node)
  put(keys, who)
  tell(at, 'in', who)
end

-- Who is there already is on this node, too, with the display name and the seat that they have now.
local function come_too(keys, at, mine, who, node)
  local place, seat = seated(mine, node), seat_of(who, node)
  local is_so = place and cmsgpack.pack(mine[11][place]) == cmsgpack.pack(seat)
  if is_so and holds(mine, node) and mine[5] == who[5] then return end
  if not holds(mine, node) then table.insert(mine[9], node) end
  mine[5], mine[11][place or #mine[11] + 1] = who[5], seat
  put(keys, mine)
  tell(at, 'set', mine[1], mine)
end

-- Make way for a user among those who have the name: guests go. Whether nobody is left who stays.
local function make_way(keys, at, who, strangers)
  for _, one in ipairs(strangers) do
    if not (who[7] and one[6]) then return false, one[7] and 'user' or 'taken' end
  end
  for _, one in ipairs(strangers) do
    drop(keys, one)
    tell(at, 'out', one[1])
  end
  return true
end

local function claim(keys, at, node, who, instead, over)
  local mine, strangers, count = nil, {}, 0
  local old = instead ~= '' and not who[7] and occupant(keys, instead) -- a user has one name
  if old and not (old[1] == instead and old[4] == who[4] and holds(old, node)) then old = nil end
  for _, one in ipairs(holders(keys, who)) do
    if not old or one[1] ~= instead then
      count = count + 1
      if one[4] == who[4] then mine = one else strangers[#strangers + 1] = one end
    end
  end
  if count > 1 and not who[7] then return 'taken' end
  if mine and not who[7] and not holds(mine, node) and (mine[10] or 0) ~= (over or 0) then return 'moved' end
  local is_free, why = make_way(keys, at, who, strangers)
  if not is_free then return why end
  if old then let_go(keys, at, old, node) end
  if not mine then
    add(keys, at, who, node)
    return 'in'
  end
  if who[7] then -- a user is there once, on as many nodes as they like
    come_too(keys, at, mine, who, node)
  else -- a guest is on the newest one alone, and under another mark, if it is the same node, too
    drop(keys, mine)
    who[8] = mine[8]
    hold(at, who, node)
    put(keys, who)
    tell(at, 'set', mine[1], who)
  end
  return 'mine'
end

local function free(keys, at, node, key, identity)
  local who = occupant(keys, key)
  if who and who[1] == key and who[4] == identity then let_go(keys, at, who, node) end
  return 'free'
end

-- What a node says of someone it holds. Who has gone, or is on a newer node instead, stays so.
local function amend(keys, at, node, who)
  local mine = occupant(keys, who[1])
  if not (mine and mine[1] == who[1] and mine[4] == who[4] and holds(mine, node)) then return 'free' end
  come_too(keys, at, mine, who, node)
  return 'mine'
end

-- Say what has changed, and keep it for those who do not hear it.
local function finish_here(keys, at)
  if #at.told == 0 then return end
  at.version = at.version + 1
  redis.call('HSET', keys[1], 'version', whole(at.version), 'order', whole(at.order))
  if redis.call('HLEN', keys[1]) == 3 then
    redis.call('EXPIRE', keys[1], EMPTY)
  else
    redis.call('PERSIST', keys[1])
  end
  local batch = cmsgpack.pack(at.told)
  redis.call('LPUSH', keys[2], batch)
  redis.call('LTRIM', keys[2], 0, BATCHES - 1)
  redis.call('EXPIRE', keys[2], EMPTY)
  hint(keys, '!' .. cmsgpack.pack({ at.stamp, at.version, at.told }))
end

local function everyone(keys)
  local found, all = {}, redis.call('HGETALL', keys[1])
  for place = 1, #all, 2 do
    if string.sub(all[place], 1, 1) == ':' and string.sub(all[place + 1], 1, 1) ~= '=' then
      found[#found + 1] = all[place + 1]
    end
  end
  return found
end

-- What an asker who stands at `known` has to hear: {stamp, version, whether that is everyone,
-- batches (newest first) or occupants}. -1: nothing.
local function since(keys, at, stamp, known)
  local missed = at.version - known
  if known < 0 or (stamp == at.stamp and missed == 0) then return { at.stamp, at.version, 0, {} } end
  if stamp == at.stamp and missed > 0 and missed <= redis.call('LLEN', keys[2]) then
    return { at.stamp, at.version, 0, redis.call('LRANGE', keys[2], 0, missed - 1) }
  end
  return { at.stamp, at.version, 1, everyone(keys) }
end

-- Claims, releases and amendments of one turn: what `since` gives, and what came of each.
local function move(keys, args)
  local node, stamp, known, new, moves = unpack(cmsgpack.unpack(args[1]))
  local at, results = stand_here(keys, stamp, known, new), {}
  for _, one in ipairs(moves) do
    if one[1] == 'claim' then
      results[#results + 1] = claim(keys, at, node, one[2], one[3], one[4])
    elseif one[1] == 'amend' then
      results[#results + 1] = amend(keys, at, node, one[2])
    else
      results[#results + 1] = free(keys, at, node, one[2], one[3])
    end
  end
  finish_here(keys, at)
  return { since(keys, at, stamp, known), results }
end

local function here(keys, args)
  local stamp, known = args[1], tonumber(args[2])
  local at = stand_here(keys, stamp, known, args[3])
  return since(keys, at, stamp, known)
end

-- What a node truly has: the rest of what it is said to have goes, and what is missing comes, where
-- nobody else has the name. `olds` are names that the node had. Everyone is told to it.
local function settle(keys, args)
  local node, stamp, known, new, olds, members = unpack(cmsgpack.unpack(args[1]))
  local at, wanted = stand_here(keys, stamp, known, new), {}
  for _, who in ipairs(members) do wanted[who[1]] = who[4] end
  for _, packed in ipairs(everyone(keys)) do
    local who = read(packed)
    local is_wanted = wanted[who[1]] == who[4]
    for _, old in ipairs(olds) do
      local place = holds(who, old)
      if place and is_wanted and not holds(who, node) then
        local seat = seated(who, old)
        if seat then who[11][seat][1] = node end
        who[9][place] = node
        put(keys, who)
        tell(at, 'set', who[1], who)
      elseif place then
        let_go(keys, at, who, old)
      end
    end
    if not is_wanted then let_go(keys, at, who, node) end
  end
  for _, who in ipairs(members) do
    local mine, strangers = nil, {}
    for _, one in ipairs(holders(keys, who)) do
      if one[4] == who[4] then mine = one else strangers[#strangers + 1] = one end
    end
    if mine then
      if who[7] or holds(mine, node) then come_too(keys, at, mine, who, node) end
    elseif make_way(keys, at, who, strangers) then
      add(keys, at, who, node)
    end
  end
  finish_here(keys, at)
  return { at.stamp, at.version, 1, known >= 0 and everyone(keys) or {} }
end

-- Take out all that a dead node held.
local function bury(keys, args)
  local node = args[1]
  if redis.call('EXISTS', keys[1]) == 0 then return 0 end
  local at = stand_here(keys, '', -1, '')
  for _, packed in ipairs(everyone(keys)) do let_go(keys, at, read(packed), node) end
  finish_here(keys, at)
  return #at.told
end

-- Renew a node's lease: {whether it had ended, nodes that are dead and for how many ms, how many
-- live}. `may_bury`: then those whose lease has ended are taken for dead; but not where the asker's
-- own has half ended: this may have waited for long in a Redis that stood still, as others' have.
local function lease(keys, args)
  local node, ttl, may_bury, is_new = args[1], tonumber(args[2]), args[3], args[4]
  local time = redis.call('TIME')
  local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
  local ends = redis.call('ZSCORE', keys[1], node)
  if is_new == '0' and not ends then return { 1, {}, 0 } end
  redis.call('ZADD', keys[1], whole(now + ttl), node)
  if may_bury == '1' and ends and tonumber(ends) - now > ttl / 2 then
    for _, one in ipairs(redis.call('ZRANGEBYSCORE', keys[1], '-inf', '(' .. whole(now))) do
      redis.call('ZREM', keys[1], one)
      redis.call('ZADD', keys[2], whole(now), one)
    end
  end
  local dead = redis.call('ZRANGE', keys[2], 0, -1, 'WITHSCORES')
  for place = 2, #dead, 2 do dead[place] = now - tonumber(dead[place]) end
  return { 0, dead, redis.call('ZCOUNT', keys[1], whole(now), '+inf') }
end

redis.register_function('@NAME@_move', move)
redis.register_function('@NAME@_here', here)
redis.register_function('@NAME@_settle', settle)
redis.register_function('@NAME@_bury', bury)
redis.register_function('@NAME@_lease', lease)
