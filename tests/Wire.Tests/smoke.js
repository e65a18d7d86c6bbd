'use strict'

// The official client does one of everything that a single node offers: a few seconds, for every `make test`.
//
//   node smoke.js [--host HOST:PORT]

const assert = require('node:assert/strict')
const fs = require('node:fs')
const path = require('node:path')
const { parseArgs } = require('node:util')
const Aerospike = require('aerospike')
const { nodeUnderTest, info, root, tail } = require('./node-under-test')

const { op, batchType, policy, status, ttl } = { ...Aerospike, op: Aerospike.operations }
const namespace = 'test'
const set = 'smoke'
const key = name => new Aerospike.Key(namespace, set, name)
const code = expected => error => error.code === expected || assert.fail(`code ${error.code}, not ${expected}: ${error.message}`)

const steps = {
  async 'put and get return every particle' (client) {
    const bins = {
      i: -42,
      big: 9007199254740993n,
      d: 0.25,
      s: 'łódź',
      b: Buffer.from([0, 1, 255]),
      yes: true,
      l: [1, 'two', [3]],
      m: { a: 1, b: { c: 2 } }
    }
    await client.put(key('particles'), bins)
    const record = await client.get(key('particles'))
    assert.deepEqual(record.bins, bins)
    assert.equal(record.gen, 1)
  },

  async 'get of a missing record is not found' (client) {
    await assert.rejects(client.get(key('missing')), code(status.ERR_RECORD_NOT_FOUND))
  },

  async 'integer, string and bytes keys are three records' (client) {
    const keys = [7, '7', Buffer.from('7')].map(value => new Aerospike.Key(namespace, set, value))
    for (const [i, each] of keys.entries()) await client.put(each, { i })
    for (const [i, each] of keys.entries()) assert.equal((await client.get(each)).bins.i, i)
  },

  async 'exists and select' (client) {
    await client.put(key('select'), { a: 1, b: 2, c: 3 })
    assert.equal(await client.exists(key('select')), true)
    assert.equal(await client.exists(key('missing')), false)
    assert.deepEqual((await client.select(key('select'), ['a', 'c'])).bins, { a: 1, c: 3 })
  },

  async 'remove, and remove again' (client) {
    await client.put(key('remove'), { a: 1 })
    await client.remove(key('remove'))
    await assert.rejects(client.remove(key('remove')), code(status.ERR_RECORD_NOT_FOUND))
  },

  async 'a bin set to null goes; the last one takes the record with it' (client) {
    await client.put(key('bins'), { a: 1, b: 2 })
    await client.put(key('bins'), { a: null })
    assert.deepEqual((await client.get(key('bins'))).bins, { b: 2 })
    await client.put(key('bins'), { b: null })
    assert.equal(await client.exists(key('bins')), false)
  },

  async 'append, prepend, add and touch' (client) {
    await client.put(key('modify'), { s: 'b', i: 40 }, { ttl: 100 })
    await client.append(key('modify'), { s: 'c' })
    await client.prepend(key('modify'), { s: 'a' })
    await client.incr(key('modify'), { i: 2 })
    await client.operate(key('modify'), [op.touch(1000)])
    const record = await client.get(key('modify'))
    assert.deepEqual(record.bins, { s: 'abc', i: 42 })
    assert.ok(record.ttl > 990 && record.ttl <= 1000, `ttl ${record.ttl}`)
    assert.equal(record.gen, 5)
    await assert.rejects(client.append(key('modify'), { i: 'x' }), code(status.ERR_BIN_INCOMPATIBLE_TYPE))
  },

  async 'operate writes, reads and deletes in order' (client) {
    await client.put(key('operate'), { i: 1, s: 'x' })
    const record = await client.operate(key('operate'), [op.incr('i', 4), op.append('s', 'y'), op.read('i'), op.read('s')])
    assert.deepEqual(record.bins, { i: 5, s: 'xy' })
    const last = await client.operate(key('operate'), [op.read('s'), op.delete()])
    assert.equal(last.bins.s, 'xy')
    assert.equal(await client.exists(key('operate')), false)
  },

  async 'write policies: create, update, replace' (client) {
    const exists = kind => new Aerospike.WritePolicy({ exists: kind })
    const { CREATE, UPDATE, REPLACE, CREATE_OR_REPLACE } = policy.exists
    await assert.rejects(client.put(key('policy'), { a: 1 }, {}, exists(UPDATE)), code(status.ERR_RECORD_NOT_FOUND))
    await assert.rejects(client.put(key('policy'), { a: 1 }, {}, exists(REPLACE)), code(status.ERR_RECORD_NOT_FOUND))
    await client.put(key('policy'), { a: 1 }, {}, exists(CREATE))
    await assert.rejects(client.put(key('policy'), { a: 2 }, {}, exists(CREATE)), code(status.ERR_RECORD_EXISTS))
    await client.put(key('policy'), { b: 2 }, {}, exists(CREATE_OR_REPLACE))
    assert.deepEqual((await client.get(key('policy'))).bins, { b: 2 })
  },

  async 'a write with the wrong generation is refused' (client) {
    const equal = new Aerospike.WritePolicy({ gen: policy.gen.EQ })
    await client.put(key('generation'), { a: 1 })
    await client.put(key('generation'), { a: 2 }, { gen: 1 }, equal)
    await assert.rejects(client.put(key('generation'), { a: 3 }, { gen: 1 }, equal), code(status.ERR_RECORD_GENERATION))
    assert.equal((await client.get(key('generation'))).bins.a, 2)
  },

  async 'a record may never expire' (client) {
    await client.put(key('forever'), { a: 1 }, { ttl: ttl.NEVER_EXPIRE })
    assert.equal((await client.get(key('forever'))).ttl, ttl.NEVER_EXPIRE)
  },

  async 'the stored key is checked' (client) {
    const send = new Aerospike.WritePolicy({ key: policy.key.SEND })
    await client.put(key('sent'), { a: 1 }, {}, send)
    const read = new Aerospike.ReadPolicy({ key: policy.key.SEND })
    assert.equal((await client.get(key('sent'), read)).bins.a, 1)
  },

  async 'limits answer with their codes' (client) {
    await assert.rejects(client.put(key('big'), { b: Buffer.alloc(1100 * 1024) }), code(status.ERR_RECORD_TOO_BIG))
    const other = new Aerospike.Key('nowhere', set, 'k')
    await assert.rejects(client.get(other), error => error instanceof Aerospike.AerospikeError)
  },

  async 'batch reads, writes and removes with a result per key' (client) {
    const keys = Array.from({ length: 300 }, (_, i) => key(`batch/${i}`))
    const write = each => ({ type: batchType.BATCH_WRITE, key: each, ops: [op.write('k', each.key)] })
    const written = await client.batchWrite(keys.map(write))
    assert.ok(written.every(result => result.status === status.OK))

    const wanted = [...keys, key('missing')].map(each => ({ type: batchType.BATCH_READ, key: each, readAllBins: true }))
    const read = await client.batchRead(wanted)
    assert.deepEqual(read.slice(0, 300).map(result => result.record.bins.k), keys.map(each => each.key))
    assert.equal(read[300].status, status.ERR_RECORD_NOT_FOUND)

    const removed = await client.batchRemove(keys.slice(0, 100))
    assert.ok(removed.every(result => result.status === status.OK))
    const left = await client.batchExists(keys)
    assert.equal(left.filter(result => result.status === status.OK).length, 200)
  },

  async 'a scan returns each record of its set once' (client) {
    const count = 500
    const puts = Array.from({ length: count }, (_, i) => client.put(new Aerospike.Key(namespace, 'smoke-scan', i), { i, x: 'x' }))
    await Promise.all(puts)
    const scan = client.scan(namespace, 'smoke-scan')
    scan.select('i')
    const records = await scan.results()
    assert.deepEqual(records.map(record => record.bins.i).sort((a, b) => a - b), Array.from({ length: count }, (_, i) => i))
    assert.ok(records.every(record => !('x' in record.bins)))
  },

  async 'a scan resumes page by page' (client) {
    const scan = client.scan(namespace, 'smoke-scan', { paginate: true })
    let seen = 0
    let pages = 0
    do {
      const stream = scan.foreach(new Aerospike.ScanPolicy({ maxRecords: 100 }))
      stream.on('data', () => seen++)
      scan.nextPage(await new Promise((resolve, reject) => stream.on('error', reject).on('end', resolve)))
      pages++
    } while (scan.hasNextPage() && pages < 50)
    assert.equal(seen, 500)
  },

  async 'truncate empties the set and nothing else' (client) {
    await client.put(key('stays'), { a: 1 })
    await client.truncate(namespace, 'smoke-scan', 0)
    await until(async () => (await client.scan(namespace, 'smoke-scan').results()).length === 0, 'the set is empty')
    assert.equal(await client.exists(key('stays')), true)
  },

  async 'info answers about the node and its namespace' (client) {
    const answer = Aerospike.info.parse(await client.infoAny(`build\nnode\nnamespaces\nnamespace/${namespace}\nstatistics`))
    assert.match(String(answer.build), /^8\./)
    assert.match(String(answer.node), /^[0-9A-F]+$/)
    assert.ok([answer.namespaces].flat().includes(namespace))
    assert.ok(answer[`namespace/${namespace}`].objects > 0)
    assert.ok(answer.statistics.uptime >= 0)
  },

  async 'an unknown info command is an error, not silence' (_, { host, port }) {
    assert.match(await info(host, port, 'no-such-command'), /^ERROR/)
  }
}

/// Waits for a condition with a deadline; truncation is allowed to take a moment.
async function until (condition, what) {
  const deadline = Date.now() + 5000
  while (!await condition()) {
    assert.ok(Date.now() < deadline, `not within 5 s: ${what}`)
  }
}

async function main () {
  const { values: options } = parseArgs({ options: { host: { type: 'string' } } })
  const node = await nodeUnderTest(options.host)
  const defaults = { totalTimeout: 5000 }
  const client = await Aerospike.connect({
    hosts: [{ addr: node.host, port: node.port }],
    log: { level: Aerospike.log.OFF },
    maxConnsPerNode: 600, // one step sends 500 puts at once
    policies: { read: defaults, write: defaults, operate: defaults, batch: defaults, remove: defaults, scan: defaults, info: defaults }
  })
  await client.truncate(namespace, set, 0).catch(() => null) // a node that was given by --host may have run this before

  let failed = 0
  for (const [name, step] of Object.entries(steps)) {
    try {
      await step(client, node)
    } catch (error) {
      failed++
      console.log(`FAILED  ${name}\n        ${String(error.stack).split('\n').slice(0, 6).join('\n        ')}`)
      console.log('        alone: make smoke')
    }
  }
  client.close(false)

  const complaint = await node.stop()
  if (complaint) {
    console.log(`FAILED  ${complaint}\n${tail(node.logFile)}`)
    failed++
  }
  finish(Object.keys(steps).length + (complaint ? 1 : 0) - failed, failed)
}

function finish (passed, failed) {
  const folder = path.join(root, 'artifacts/test-results')
  fs.mkdirSync(folder, { recursive: true })
  fs.writeFileSync(path.join(folder, 'smoke.count'), `${passed} ${failed} 0\n`)
  console.log(`official client, smoke: ${passed} passed, ${failed} failed, 0 skipped`)
  process.exitCode = failed === 0 ? 0 : 1
}

main().catch(error => {
  console.error(error.message)
  process.exit(1)
})
