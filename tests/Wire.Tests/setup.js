'use strict'

const path = require('node:path')

// A few of the suite's files count on another file having made this global.
globalThis.expect = require('chai').expect

// The suite asks the node for its features without waiting for the answer, and skips what the node does not seem to have. The
// first tests of a file would be skipped or not as chance has it.
const helperFile = path.join(__dirname, 'node_modules/aerospike/test/test_helper.js')
const patienceMs = 10000
let looked = false

exports.mochaHooks = {
  async beforeEach () {
    const until = Date.now() + patienceMs
    while (!looked && Date.now() < until) {
      const helper = require.cache[helperFile]
      looked = !helper || process.env.GLOBAL_CLIENT === 'false' || helper.exports.cluster.namespaceInfo.info !== undefined
      if (!looked) {
        await new Promise(resolve => setTimeout(resolve, 5))
      }
    }
    looked = true
  }
}
