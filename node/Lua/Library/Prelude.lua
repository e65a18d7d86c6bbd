-- The part of the sandbox that is written in Lua: it takes away what scripts must not have, and replaces what could run for
-- long without an instruction being counted, or could not be suspended, by versions whose loops are Lua's own.
-- Native functions are reached by tail calls, so that their errors name the line of the script.

local native = ...

local error, getmetatable, pcall, rawget, select, type, tostring = error, getmetatable, pcall, rawget, select, type, tostring
local pack, unpack = table.pack, table.unpack
local tick, at_top = native.tick, native.at_top

for _, name in ipairs { "dofile", "loadfile", "load", "collectgarbage" } do
  _G[name] = nil
end
string.dump = nil
getmetatable("").__metatable = "string"

-- Finalizers run with the count hook off.
local setmetatable = setmetatable
function _G.setmetatable(t, metatable)
  if type(metatable) == "table" and rawget(metatable, "__gc") ~= nil then
    error("__gc is not allowed", 2)
  end
  return setmetatable(t, metatable)
end

-- Lua runs a message handler where the error is raised, with the count hook off. Here it runs after the unwinding.
local function handled(handler, ok, ...)
  if ok then
    return true, ...
  end
  local _, result = pcall(handler, ...)
  return false, result
end

function xpcall(f, handler, ...)
  return handled(handler, pcall(f, ...))
end

-- A coroutine that died is never closed: what it still had to close would run with the count hook off.
local create, resume, yield = coroutine.create, coroutine.resume, coroutine.yield
local is_yieldable, running, pauses, counted = coroutine.isyieldable, coroutine.running, native.pauses, native.counted

-- A turn may end inside a coroutine: it yields nothing then, and so do all that wait for it, out to the main line; later they go
-- on from there inwards. Where one of them cannot yield, the coroutine goes on at once.
local function resumed(co, ...)
  local _, first = ...
  if first ~= nil then
    return ...
  end
  local pause = pauses(co)
  if pause == nil then
    return ...
  end
  if pause then
    yield()
  end
  return resumed(co, resume(co))
end

local function outcome(ok, ...)
  if ok then
    return ...
  end
  error((...), 0)
end

coroutine = {
  status = coroutine.status,
  resume = function(co, ...)
    if type(co) ~= "thread" then
      error("bad argument #1 to 'resume' (coroutine expected, got " .. type(co) .. ")", 2)
    end
    return resumed(co, resume(co, ...))
  end,
  create = function(f)
    tick()
    return counted(create(f))
  end,
  wrap = function(f)
    tick()
    local co = counted(create(f))
    return function(...)
      return outcome(resumed(co, resume(co, ...)))
    end
  end,
  yield = function(...)
    if at_top() then
      error("attempt to yield from outside a coroutine", 2)
    end
    return yield(...)
  end,
  isyieldable = function()
    return not at_top() and is_yieldable()
  end,
  running = function()
    return running(), at_top()
  end,
}

-- Lengths and elements of a table with a metatable may be anything: its loops are counted.
local insert, remove, concat = table.insert, table.remove, table.concat

local function insert_counted(t, ...)
  local size, count = #t, select("#", ...)
  if count == 1 then
    t[size + 1] = (...)
    return
  elseif count ~= 2 then
    error("wrong number of arguments to 'insert'", 2)
  end
  local at, value = ...
  if math.type(at) ~= "integer" or at < 1 or at > size + 1 then
    error("bad argument #2 to 'insert' (position out of bounds)", 2)
  end
  for i = size + 1, at + 1, -1 do
    t[i] = t[i - 1]
  end
  t[at] = value
end

local function remove_counted(t, at)
  local size = #t
  at = at or size
  local value = t[at]
  for i = at, size - 1 do
    t[i] = t[i + 1]
  end
  t[size] = nil
  return value
end

function table.insert(t, ...)
  if getmetatable(t) == nil then
    return insert(t, ...)
  end
  return insert_counted(t, ...)
end

function table.remove(t, ...)
  if getmetatable(t) == nil then
    return remove(t, ...)
  end
  return remove_counted(t, ...)
end

function table.concat(t, separator, first, last)
  tick()
  if getmetatable(t) == nil then
    return concat(t, separator, first, last)
  end
  first = first or 1
  last = last or #t
  local copy = {}
  for i = first, last do
    copy[i - first + 1] = t[i]
  end
  return concat(copy, separator, 1, last - first + 1)
end

function table.move(from, first, last, at, to)
  to = to or from
  if at > first and at <= last and from == to then
    for i = last - first, 0, -1 do
      to[at + i] = from[first + i]
    end
  else
    for i = 0, last - first do
      to[at + i] = from[first + i]
    end
  end
  return to
end

function table.unpack(t, ...)
  tick()
  return unpack(t, ...)
end

local function merge(from, to, left, middle, stop, less)
  local i, j = left, middle
  for at = left, stop - 1 do
    local takes_right
    if i >= middle then
      takes_right = true
    elseif j < stop then
      if less then
        takes_right = less(from[j], from[i])
      else
        takes_right = from[j] < from[i]
      end
    end
    if takes_right then
      to[at], j = from[j], j + 1
    else
      to[at], i = from[i], i + 1
    end
  end
end

function table.sort(t, less)
  if less ~= nil and type(less) ~= "function" then
    error("bad argument #2 to 'sort' (function expected, got " .. type(less) .. ")", 2)
  end
  local size, from, to = #t, {}, {}
  for i = 1, size do
    from[i] = t[i]
  end
  local width = 1
  while width < size do
    for left = 1, size, 2 * width do
      merge(from, to, left, math.min(left + width, size + 1), math.min(left + 2 * width, size + 1), less)
    end
    from, to, width = to, from, 2 * width
  end
  for i = 1, size do
    t[i] = from[i]
  end
end

-- Patterns are matched by the engine with a bound on their steps; what calls back into the script is done here. A search that
-- pauses answers false and where it goes on.
local find, match, scan, replace_by_text = native.find, native.match, native.scan, native.gsub
local byte, sub, rep = string.byte, string.sub, string.rep

local function found(s, pattern, plain, first, ...)
  if first == false then
    return found(s, pattern, plain, find(s, pattern, (...), plain))
  end
  return first, ...
end

local function matched(s, pattern, first, ...)
  if first == false then
    return matched(s, pattern, match(s, pattern, (...)))
  end
  return first, ...
end

local function scanned(s, pattern, last, anchors, first, ...)
  if first == false then
    return scanned(s, pattern, last, anchors, scan(s, pattern, (...), last, anchors))
  end
  return first, ...
end

function string.find(s, pattern, init, plain)
  return found(s, pattern, plain, find(s, pattern, init, plain))
end

function string.match(s, pattern, init)
  return matched(s, pattern, match(s, pattern, init))
end

function string.rep(s, count, separator)
  if s == "" and (separator == nil or separator == "") then
    return ""
  end
  tick()
  return rep(s, count, separator)
end

function string.gmatch(s, pattern, init)
  local at, last = native.start(s, pattern, init), nil
  local function advance(first, stop, ...)
    if first == nil then
      at = nil
      return nil
    end
    at, last = stop, stop
    return ...
  end
  return function()
    if at == nil then
      return nil
    end
    return advance(scanned(s, pattern, last, false, scan(s, pattern, at, last, false)))
  end
end

local function replacement(s, by, first, stop, ...)
  if first == nil then
    return nil
  end
  local value
  if type(by) == "function" then
    value = by(...)
  else
    value = by[(...)]
  end
  local kind = type(value)
  if not value then
    value = sub(s, first, stop - 1)
  elseif kind ~= "string" and kind ~= "number" then
    error("invalid replacement value (a " .. kind .. ")", 3)
  end
  return first, stop, value
end

local function replace_by_call(s, pattern, by, most)
  local at, last, copied, count, pieces = native.start(s, pattern), nil, 1, 0, {}
  most = most or math.maxinteger
  local anchored = byte(pattern, 1) == 94
  while count < most do
    local first, stop, value = replacement(s, by, scanned(s, pattern, last, true, scan(s, pattern, at, last, true)))
    if first == nil then
      break
    end
    count = count + 1
    pieces[2 * count - 1] = sub(s, copied, first - 1)
    pieces[2 * count] = value
    at, last, copied = stop, stop, stop
    if anchored then
      break
    end
  end
  pieces[2 * count + 1] = sub(s, copied)
  return concat(pieces), count
end

function string.gsub(s, pattern, by, most)
  local kind = type(by)
  if kind == "function" or kind == "table" then
    return replace_by_call(s, pattern, by, most)
  end
  return replace_by_text(s, pattern, by, most)
end

-- Time comes from the node's clock.
local date, time, now = os.date, os.time, native.now
os = {
  clock = os.clock,
  difftime = os.difftime,
  time = function(t)
    if t == nil then
      return now()
    end
    return time(t)
  end,
  date = function(form, at)
    return date(form or "%c", at or now())
  end,
}

function math.sum(a, b)
  return a + b
end

function math.product(a, b)
  return a * b
end

-- Logging. A text that nobody reads is not made.
local format, is_logged, log = string.format, native.is_logged, native.log

local function logger(level)
  return function(form, ...)
    if is_logged(level) then
      local ok, text = pcall(format, form, ...)
      if not ok then
        error(text, 2)
      end
      log(level, text)
    end
  end
end

warn, info, debug, trace = logger(1), logger(2), logger(3), logger(4)

function print(...)
  if is_logged(2) then
    local texts = pack(...)
    for i = 1, texts.n do
      texts[i] = tostring(texts[i])
    end
    log(2, concat(texts, "\t"))
  end
end

-- Copies and unions of lists and maps.
function list.clone(l)
  local copy = list()
  list.concat(copy, l)
  return copy
end

function list.merge(a, b)
  local union = list.clone(a)
  list.concat(union, b)
  return union
end

function map.clone(m)
  local copy = map()
  for key, value in map.pairs(m) do
    copy[key] = value
  end
  return copy
end

function map.merge(a, b, join)
  local union = map.clone(a)
  for key, value in map.pairs(b) do
    local other = union[key]
    if join and other ~= nil then
      value = join(other, value)
    end
    union[key] = value
  end
  return union
end

function map.diff(a, b)
  local difference = map()
  for key, value in map.pairs(a) do
    if b[key] == nil then
      difference[key] = value
    end
  end
  for key, value in map.pairs(b) do
    if a[key] == nil then
      difference[key] = value
    end
  end
  return difference
end

local setters = {}
for name in pairs(bytes) do
  setters[#setters + 1] = match(name, "^set_(.+)$")
end
for _, kind in ipairs(setters) do
  if kind ~= "size" and kind ~= "type" then
    bytes["put_" .. kind] = bytes["set_" .. kind]
  end
end

-- Modules find each other by name, and nothing else.
local loaded, loading = {}, {}

function require(name)
  local value = loaded[name]
  if value ~= nil then
    return value
  end
  local chunk, message = native.compile(name)
  if not chunk then
    error(message, 0)
  end
  if loading[name] then
    error("module '" .. name .. "' requires itself", 2)
  end
  loading[name] = true
  value = chunk(name)
  loading[name] = nil
  if value == nil then
    value = true
  end
  loaded[name] = value
  return value
end

return require
