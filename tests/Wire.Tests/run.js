'use strict'

// Runs the official client's own test files against a node and compares every test with what it does on the real
// server (reference-server.tsv). A test that passes there must pass here, unless expected-later.tsv names it.
//
//   node run.js [--set core|all] [--files put,get] [--host HOST:PORT] [--verbose]

const { spawn, spawnSync } = require('node:child_process')
const fs = require('node:fs')
const path = require('node:path')
const { parseArgs } = require('node:util')
const { nodeUnderTest, info, outputFolder, root, tail } = require('./node-under-test')

const suiteFolder = path.join(__dirname, 'node_modules/aerospike/test')
const exitPatienceMs = 15000 // for a process whose tests are all over
const fileDeadlineMs = 240000 // the slowest file needs about 100 s of its own waiting

async function main () {
  const { values: options } = parseArgs({
    options: {
      set: { type: 'string', default: 'core' },
      files: { type: 'string' },
      host: { type: 'string' },
      verbose: { type: 'boolean', default: false }
    }
  })
  const files = chosenFiles(options)
  compileSuite()

  const node = await nodeUnderTest(options.host)
  node.build = await info(node.host, node.port, 'build')

  const verdict = { passed: 0, failed: 0, skipped: 0, removable: [] }
  for (const file of files) {
    const results = await runFile(file, node)
    judge(file, results, options.verbose, verdict)
  }

  const complaint = await node.stop()
  if (complaint) {
    verdict.failed++
    console.log(`FAILED  ${complaint}\n${tail(node.logFile)}`)
  }
  report(verdict)
}

function chosenFiles ({ set, files }) {
  if (files) {
    return files.split(',')
  }
  const sets = JSON.parse(fs.readFileSync(path.join(__dirname, 'files.json'), 'utf8'))
  if (!['core', 'all'].includes(set)) {
    throw new Error(`--set is core or all, not ${set}`)
  }
  return set === 'all' ? [...sets.core, ...sets.all] : sets.core
}

/// The package ships its tests as TypeScript. Types are the client's business: only translate, and only once.
function compileSuite () {
  const stamp = path.join(suiteFolder, '.compiled')
  if (fs.existsSync(stamp)) {
    return
  }
  const compiler = path.join(__dirname, 'node_modules/typescript/bin/tsc')
  const result = spawnSync(process.execPath, [compiler, '--noCheck'], { cwd: suiteFolder, encoding: 'utf8' })
  if (result.status !== 0) {
    throw new Error(`tsc: ${result.stdout}${result.stderr}`)
  }
  fs.writeFileSync(stamp, '')
}

/// One process per file, so that a file cannot disturb the next. Resolves to the lines of line-reporter.js.
function runFile (file, node) {
  const results = path.join(outputFolder, `${file}.jsonl`)
  const ended = `${results}.ended`
  fs.rmSync(results, { force: true })
  fs.rmSync(ended, { force: true })
  const args = [
    path.join(__dirname, 'node_modules/mocha/bin/mocha.js'), '--no-config', '--exit', '--timeout', '10000',
    '--require', path.join(__dirname, 'setup.js'), '--reporter', path.join(__dirname, 'line-reporter.js'),
    path.join(suiteFolder, `${file}.js`)
  ]
  const output = fs.openSync(path.join(outputFolder, `${file}.out`), 'w')
  // The suite learns the version a moment after its first test has asked for it.
  const options = `--host ${node.host} --port ${node.port}`
  const env = { ...process.env, AEROSPIKE_VERSION_OVERRIDE: node.build, OPTIONS: options, WIRE_RESULTS: results }

  return new Promise(resolve => {
    const child = spawn(process.execPath, args, { cwd: outputFolder, env, stdio: ['ignore', output, output] })
    const timer = setTimeout(() => child.kill('SIGKILL'), fileDeadlineMs)
    // Threads of the client have been seen to wait for each other for ever when it ends: its main thread in a join, the other for a lock.
    const exitWatch = setInterval(() => {
      if (fs.existsSync(ended) && Date.now() - fs.statSync(ended).mtimeMs > exitPatienceMs) {
        console.log(`${file}: all tests are over, but the client does not exit: ended`)
        child.kill('SIGKILL')
      }
    }, 1000)
    child.on('exit', () => {
      clearTimeout(timer)
      clearInterval(exitWatch)
      const lines = fs.existsSync(results) ? fs.readFileSync(results, 'utf8').trimEnd().split('\n') : []
      resolve(lines.filter(Boolean).map(line => JSON.parse(line)))
    })
  })
}

function judge (file, results, verbose, verdict) {
  const reference = withOccurrence(readTable('reference-server.tsv')
    .filter(([, name]) => name.startsWith(`${file}.js :: `))
    .map(([state, name]) => ({ state, name })))
  const here = new Map(withOccurrence(results
    .filter(result => !result.hook)
    .map(result => ({ ...result, name: `${file}.js :: ${result.title}` })))
    .map(result => [result.name, result]))
  const later = new Map(readTable('expected-later.tsv'))
  const hooks = results.filter(result => result.hook)
  const before = { ...verdict }

  for (const { name, state } of reference) {
    const result = here.get(name) ?? { state: 'missing' }
    if (result.state === 'passed') {
      verdict.passed++
      if (later.has(name)) verdict.removable.push(name)
      if (verbose) console.log(`passed  ${name}`)
    } else if (state !== 'passed') {
      verdict.skipped++
      if (verbose) console.log(`skipped ${name}: ${state} on the real server too`)
    } else if (later.has(name)) {
      verdict.skipped++
      console.log(`skipped ${name}: ${later.get(name)}`)
    } else {
      verdict.failed++
      console.log(`FAILED  ${name}\n        ${why(result, hooks)}`)
      console.log(`        alone: make wire FILES=${file}`)
    }
  }
  const [passed, failed, skipped] = ['passed', 'failed', 'skipped'].map(state => verdict[state] - before[state])
  console.log(`${file}: ${passed} passed, ${failed} failed, ${skipped} skipped`)
}

function why (result, hooks) {
  if (result.error) {
    return result.error.split('\n').slice(0, 4).join('\n        ')
  }
  const hook = hooks.find(candidate => candidate.error)
  return result.state === 'missing'
    ? `did not run${hook ? `: ${hook.title}: ${hook.error.split('\n')[0]}` : ': the file ended early'}`
    : `is ${result.state} here and passes on the real server`
}

/// The suite has tests of equal name; the second becomes `name #2`, and so on.
function withOccurrence (tests) {
  const seen = new Map()
  return tests.map(test => {
    const count = (seen.get(test.name) ?? 0) + 1
    seen.set(test.name, count)
    return count === 1 ? test : { ...test, name: `${test.name} #${count}` }
  })
}

function readTable (name) {
  return fs.readFileSync(path.join(__dirname, name), 'utf8').split('\n')
    .filter(line => line && !line.startsWith('#'))
    .map(line => line.split('\t'))
}

function report ({ passed, failed, skipped, removable }) {
  for (const name of removable) {
    console.log(`passes now, remove it from expected-later.tsv: ${name}`)
  }
  const folder = path.join(root, 'artifacts/test-results')
  fs.mkdirSync(folder, { recursive: true })
  fs.writeFileSync(path.join(folder, 'wire.count'), `${passed} ${failed} ${skipped}\n`)
  console.log(`official client: ${passed} passed, ${failed} failed, ${skipped} skipped`)
  process.exitCode = failed === 0 && passed > 0 ? 0 : 1
}

main().catch(error => {
  console.error(error.message)
  process.exit(1)
})
