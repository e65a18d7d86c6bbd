-- Where no machine code can be emitted, each callback is called through this function: it raises what the callback reports.
local failure = ...
local error, select = error, select

local function check(...)
  if (...) == failure then
    error(select(2, ...), 0)
  end
  return ...
end

return function(callback)
  return function(...)
    return check(callback(...))
  end
end
