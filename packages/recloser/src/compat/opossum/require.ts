// What `require('recloser/opossum')` gives: the class itself, with everything else on it.
export { CircuitBreaker as default } from './circuit-breaker.ts';
