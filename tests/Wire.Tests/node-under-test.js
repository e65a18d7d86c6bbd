'use strict'

// One node process for a test run: writes its configuration, starts it, waits until it answers, stops it.
// Everything it leaves behind is in artifacts/wire/: the configuration, the log, the client's log.

const { spawn } = require('node:child_process')
const fs = require('node:fs')
const net = require('node:net')
const path = require('node:path')

const root = path.resolve(__dirname, '../..')
const outputFolder = path.join(root, 'artifacts/wire')
const startDeadlineMs = 30000
const stopDeadlineMs = 20000

// The suite expects a namespace `test` in which records expire: nsup must run, or a write with a TTL is refused.
const configuration = (ports) => `
service {
    cluster-name wire-tests
    proto-fd-max 15000
}
logging { console { context any info } }
network {
    service   { address 127.0.0.1
                port ${ports[0]} }
    fabric    { address 127.0.0.1
                port ${ports[1]} }
    heartbeat { mode mesh
                address 127.0.0.1
                port ${ports[2]} }
    admin     { address 127.0.0.1
                port ${ports[3]} }
}
mod-lua { user-path ${path.join(outputFolder, 'udf')} }
namespace test {
    replication-factor 1
    nsup-period 10
    storage-engine memory { data-size 1G }
}
`

/// Takes `host:port` of a node that runs already, or starts bin/aerie-node. Resolves to { host, port, stop, isOurs }.
async function nodeUnderTest (address) {
  fs.mkdirSync(outputFolder, { recursive: true })
  if (address) {
    const [host, port] = address.split(':')
    await waitUntilItAnswers(host, Number(port), () => null)
    return { host, port: Number(port), isOurs: false, stop: async () => null }
  }
  return start()
}

async function start () {
  const launcher = path.join(root, 'bin/aerie-node')
  if (!fs.existsSync(launcher)) {
    throw new Error('bin/aerie-node is missing: run `make build` first')
  }

  const ports = await freePorts(4)
  const configFile = path.join(outputFolder, 'aerie.conf')
  const logFile = path.join(outputFolder, 'node.log')
  fs.writeFileSync(configFile, configuration(ports))
  const log = fs.openSync(logFile, 'w')
  const child = spawn(launcher, ['--config-file', configFile], { stdio: ['ignore', log, log] })
  const exited = new Promise(resolve => child.on('exit', (code, signal) => resolve({ code, signal })))
  let gone = null
  exited.then(how => { gone = how })
  process.on('exit', () => { if (!gone) child.kill('SIGKILL') }) // a failed run leaves no node behind

  try {
    await waitUntilItAnswers('127.0.0.1', ports[0], () => gone)
  } catch (error) {
    throw new Error(`${error.message}\n--- end of ${path.relative(root, logFile)}\n${tail(logFile)}`)
  }
  return { host: '127.0.0.1', port: ports[0], isOurs: true, logFile, stop: () => stop(child, exited) }
}

/// Null when the node ended by itself with exit code 0 after SIGTERM, otherwise what went wrong.
async function stop (child, exited) {
  if (child.exitCode !== null || child.signalCode !== null) {
    return `the node ended during the tests (code ${child.exitCode}, signal ${child.signalCode})`
  }
  child.kill('SIGTERM')
  const timer = setTimeout(() => child.kill('SIGKILL'), stopDeadlineMs)
  const { code, signal } = await exited
  clearTimeout(timer)
  return code === 0 ? null : `after SIGTERM the node ended with code ${code}, signal ${signal}`
}

async function waitUntilItAnswers (host, port, gone) {
  const deadline = Date.now() + startDeadlineMs
  for (;;) {
    if (gone()) {
      throw new Error(`the node ended while starting (code ${gone().code})`)
    }
    const build = await info(host, port, 'build').catch(() => null)
    if (build) {
      return build
    }
    if (Date.now() > deadline) {
      throw new Error(`${host}:${port} did not answer \`build\` within ${startDeadlineMs / 1000} s`)
    }
    await new Promise(resolve => setTimeout(resolve, 50))
  }
}

/// One info request on its own connection: protocol version 2, type 1, 48-bit length, text.
function info (host, port, command) {
  return new Promise((resolve, reject) => {
    const socket = net.connect(port, host)
    const chunks = []
    socket.setTimeout(2000, () => socket.destroy(new Error('timeout')))
    socket.on('error', reject)
    socket.on('close', () => reject(new Error('closed')))
    socket.on('connect', () => {
      const text = Buffer.from(command + '\n')
      const header = Buffer.alloc(8)
      header.writeUInt16BE(0x0201, 0)
      header.writeUIntBE(text.length, 2, 6)
      socket.write(Buffer.concat([header, text]))
    })
    socket.on('data', chunk => {
      chunks.push(chunk)
      const all = Buffer.concat(chunks)
      if (all.length >= 8 && all.length >= 8 + all.readUIntBE(2, 6)) {
        resolve(all.subarray(8).toString().replace(/^[^\t]*\t/, '').trimEnd())
        socket.end()
      }
    })
  })
}

/// All are held open together, so that no port is handed out twice. AERIE_TEST_PORT fixes the first of a row instead.
async function freePorts (count) {
  const first = Number(process.env.AERIE_TEST_PORT || 0)
  if (first > 0) {
    return Array.from({ length: count }, (_, i) => first + i)
  }
  const servers = await Promise.all(Array.from({ length: count }, () => new Promise((resolve, reject) => {
    const server = net.createServer()
    server.on('error', reject)
    server.listen(0, '127.0.0.1', () => resolve(server))
  })))
  const ports = servers.map(server => server.address().port)
  await Promise.all(servers.map(server => new Promise(resolve => server.close(resolve))))
  return ports
}

function tail (file) {
  return fs.readFileSync(file, 'utf8').split('\n').slice(-25).join('\n')
}

module.exports = { nodeUnderTest, info, outputFolder, root, tail }
