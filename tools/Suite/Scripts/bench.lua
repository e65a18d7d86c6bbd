-- Reads two bins, computes, writes one: the least that a function does which could not be a bin operation.
function compute(rec, factor)
  local n = rec.a + rec.b * factor
  rec.n = n
  aerospike:update(rec)
  return n
end
