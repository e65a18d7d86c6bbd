'use strict'

// Some of the suite's files register a Lua module in a hook before tests that do not use it. On a node without UDFs that
// hook would take the whole file down. The runner loads this file only when the node itself says that it has no UDFs;
// tests that really call a function fail as they should.

const Aerospike = require('aerospike')

const done = { wait: async () => undefined, waitUntilDone: async () => undefined }
Aerospike.Client.prototype.udfRegister = async () => done
Aerospike.Client.prototype.udfRemove = async () => done
