// The package as CommonJS finds it. (In a file of its own: where one file imports and requires the same name, Bun takes one for both.)
module.exports = { recloser: require('recloser'), CircuitBreaker: require('recloser/opossum') };
