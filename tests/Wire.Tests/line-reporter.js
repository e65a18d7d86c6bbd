'use strict'

// A mocha reporter that appends one JSON line per test as soon as it ends: a file that hangs still tells what it did.

const fs = require('node:fs')

module.exports = class LineReporter {
  constructor (runner) {
    const file = process.env.WIRE_RESULTS
    const write = (state, test, error) => fs.appendFileSync(file, JSON.stringify({
      state,
      title: test.fullTitle().split('\n')[0].trimEnd(), // the reference has no more
      hook: test.type === 'hook',
      ms: test.duration || 0,
      error: error ? String(error.stack || error.message || error) : undefined
    }) + '\n')
    runner.on('pass', test => write('passed', test))
    runner.on('pending', test => write('skipped', test))
    runner.on('fail', (test, error) => write('failed', test, error))
    runner.on('end', () => fs.writeFileSync(`${file}.ended`, ''))
  }
}
