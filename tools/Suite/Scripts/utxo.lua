-- Outputs of transactions as records: the bin `utxos` is a list of hashes of 32 bytes. A spent output is 68 bytes, its hash and the
-- 36 bytes that say by what; a frozen one is its hash and 36 times 255. Every function answers a map with `status`.

local HASH, SPENDING = 32, 36
local FROZEN = 255

local size, get_bytes = bytes.size, bytes.get_bytes

local function answer(status)
  local m = map()
  m.status = status
  return m
end

local function failure(code, message)
  local m = answer("ERROR")
  m.errorCode = code
  m.message = message
  return m
end

local function equal(a, a_from, b, b_from, count)
  for i = 0, count - 1 do
    if a[a_from + i] ~= b[b_from + i] then
      return false
    end
  end
  return true
end

local function hex(b, from, count)
  local digits = {}
  for i = 1, count do
    digits[i] = string.format("%02x", b[from + count - i])
  end
  return table.concat(digits)
end

local function joined(hash, spending)
  local b = bytes(HASH + SPENDING)
  for i = 1, HASH do
    b[i] = hash[i]
  end
  for i = 1, SPENDING do
    b[HASH + i] = spending[i]
  end
  return b
end

local function is_frozen(utxo)
  for i = 1, SPENDING do
    if utxo[HASH + i] ~= FROZEN then
      return false
    end
  end
  return true
end

-- The output and nil; or nil and what is wrong with the request.
local function find(utxos, offset, hash)
  if utxos == nil then
    return nil, failure("UTXOS_NOT_FOUND", "the record has no outputs")
  end
  local utxo = utxos[offset + 1]
  if utxo == nil then
    return nil, failure("UTXO_NOT_FOUND", "no output at offset " .. offset)
  end
  if size(hash) ~= HASH then
    return nil, failure("UTXO_INVALID_SIZE", "a hash has " .. HASH .. " bytes")
  end
  if not equal(utxo, 1, hash, 1, HASH) then
    return nil, failure("UTXO_HASH_MISMATCH", "another output lies at offset " .. offset)
  end
  return utxo
end

-- Marks the record for deletion when all its outputs are spent, and takes the mark back when not.
function setDeleteAtHeight(rec, height, retention)
  if retention == 0 then
    return ""
  end
  local all_spent = rec.spentUtxos == rec.recordUtxos
  if all_spent and rec.blockIDs ~= nil and #rec.blockIDs > 0 then
    if rec.deleteAtHeight == nil then
      rec.deleteAtHeight = height + retention
      return "DAHSET"
    end
  elseif rec.deleteAtHeight ~= nil then
    rec.deleteAtHeight = nil
    return "DAHUNSET"
  end
  return ""
end

local function refusal(rec, ignore_conflicting, ignore_locked, height)
  if rec.creating then
    return failure("CREATING", "the transaction is being created")
  end
  if rec.conflicting and not ignore_conflicting then
    return failure("CONFLICTING", "the transaction conflicts with another")
  end
  if rec.locked and not ignore_locked then
    return failure("LOCKED", "the transaction is locked")
  end
  if rec.spendingHeight ~= nil and rec.spendingHeight > height then
    return failure("COINBASE_IMMATURE", "not before height " .. rec.spendingHeight)
  end
end

-- nil when the output is spent now or was by the same; else the error.
local function spend_one(utxos, offset, hash, spending)
  local utxo, wrong = find(utxos, offset, hash)
  if wrong then
    return wrong
  end
  if size(utxo) == HASH then
    utxos[offset + 1] = joined(hash, spending)
    return nil, 1
  end
  if equal(utxo, HASH + 1, spending, 1, SPENDING) then
    return nil, 0
  end
  if is_frozen(utxo) then
    return failure("FROZEN", "the output is frozen")
  end
  local wrong = failure("SPENT", "the output is spent")
  wrong.spendingData = hex(utxo, HASH + 1, HASH) .. hex(utxo, 2 * HASH + 1, SPENDING - HASH)
  return wrong
end

function spendMulti(rec, spends, ignore_conflicting, ignore_locked, height, retention)
  if not aerospike:exists(rec) then
    return failure("TX_NOT_FOUND", "no such transaction")
  end
  local refused = refusal(rec, ignore_conflicting, ignore_locked, height)
  if refused then
    return refused
  end
  local utxos, spent, errors = rec.utxos, 0, nil
  for one in list.iterator(spends) do
    local wrong, count = spend_one(utxos, one.offset, one.utxoHash, one.spendingData)
    if wrong then
      errors = errors or map()
      errors[one.idx] = wrong
    else
      spent = spent + count
    end
  end
  if spent > 0 then
    rec.utxos = utxos
    rec.spentUtxos = (rec.spentUtxos or 0) + spent
  end
  local signal = setDeleteAtHeight(rec, height, retention)
  aerospike:update(rec)
  local result = answer(errors and "ERROR" or "OK")
  if errors then
    result.errors = errors
  end
  if signal ~= "" then
    result.signal = signal
  end
  if rec.blockIDs ~= nil then
    result.blockIDs = rec.blockIDs
  end
  return result
end

function spend(rec, offset, hash, spending, ignore_conflicting, ignore_locked, height, retention)
  local one = map()
  one.idx = 0
  one.offset = offset
  one.utxoHash = hash
  one.spendingData = spending
  local spends = list()
  list.append(spends, one)
  local result = spendMulti(rec, spends, ignore_conflicting, ignore_locked, height, retention)
  if result.errors ~= nil then
    return result.errors[0]
  end
  return result
end

function unspend(rec, offset, hash, height, retention)
  if not aerospike:exists(rec) then
    return failure("TX_NOT_FOUND", "no such transaction")
  end
  local utxos = rec.utxos
  local utxo, wrong = find(utxos, offset, hash)
  if wrong then
    return wrong
  end
  if size(utxo) == HASH + SPENDING then
    if is_frozen(utxo) then
      return failure("FROZEN", "the output is frozen")
    end
    utxos[offset + 1] = get_bytes(utxo, 1, HASH)
    rec.utxos = utxos
    rec.spentUtxos = rec.spentUtxos - 1
  end
  local result = answer("OK")
  local signal = setDeleteAtHeight(rec, height, retention)
  if signal ~= "" then
    result.signal = signal
  end
  aerospike:update(rec)
  return result
end

local function position(l, value)
  local i = 1
  for v in list.iterator(l) do
    if v == value then
      return i
    end
    i = i + 1
  end
end

function setMined(rec, block, block_height, subtree, height, retention, unset)
  if not aerospike:exists(rec) then
    return failure("TX_NOT_FOUND", "no such transaction")
  end
  local ids, heights, subtrees = rec.blockIDs or list(), rec.blockHeights or list(), rec.subtreeIdxs or list()
  local at = position(ids, block)
  if unset and at then
    list.remove(ids, at)
    list.remove(heights, at)
    list.remove(subtrees, at)
  elseif not unset and not at then
    ids[#ids + 1] = block
    heights[#heights + 1] = block_height
    subtrees[#subtrees + 1] = subtree
  end
  rec.blockIDs, rec.blockHeights, rec.subtreeIdxs = ids, heights, subtrees
  if rec.locked then
    rec.locked = false
  end
  local result = answer("OK")
  local signal = setDeleteAtHeight(rec, height, retention)
  if signal ~= "" then
    result.signal = signal
  end
  result.blockIDs = ids
  aerospike:update(rec)
  return result
end

function freeze(rec, offset, hash)
  if not aerospike:exists(rec) then
    return failure("TX_NOT_FOUND", "no such transaction")
  end
  local utxos = rec.utxos
  local utxo, wrong = find(utxos, offset, hash)
  if wrong then
    return wrong
  end
  if size(utxo) ~= HASH then
    return failure(is_frozen(utxo) and "ALREADY_FROZEN" or "SPENT", "only an unspent output can be frozen")
  end
  local seal = bytes(SPENDING)
  for i = 1, SPENDING do
    seal[i] = FROZEN
  end
  utxos[offset + 1] = joined(hash, seal)
  rec.utxos = utxos
  aerospike:update(rec)
  return answer("OK")
end

function unfreeze(rec, offset, hash)
  if not aerospike:exists(rec) then
    return failure("TX_NOT_FOUND", "no such transaction")
  end
  local utxos = rec.utxos
  local utxo, wrong = find(utxos, offset, hash)
  if wrong then
    return wrong
  end
  if size(utxo) == HASH or not is_frozen(utxo) then
    return failure("UTXO_NOT_FROZEN", "the output is not frozen")
  end
  utxos[offset + 1] = get_bytes(utxo, 1, HASH)
  rec.utxos = utxos
  aerospike:update(rec)
  return answer("OK")
end

-- A function that does not exist is called where the request is wrong: an error of the script, not of the node.
function reassign(rec, offset, hash, new_hash)
  local utxos = rec.utxos
  local utxo, wrong = find(utxos, offset, hash)
  if wrong then
    return explainTheError(wrong)
  end
  utxos[offset + 1] = new_hash
  rec.utxos = utxos
  local done = rec.reassignments or list()
  list.append(done, map { offset = offset })
  rec.reassignments = done
  aerospike:update(rec)
  return answer("OK")
end
