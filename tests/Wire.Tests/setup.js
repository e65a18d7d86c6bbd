'use strict'

// A few of the suite's files count on another file having made this global.
globalThis.expect = require('chai').expect
