import { oneLimiter, oneLimiterManyBreakers, play } from './scenario.ts';

console.log('ten places for calls to three services, one of which hangs:\n');
for (const [title, make] of [
  ['one limiter', oneLimiter],
  ['one limiter, a breaker for each service', oneLimiterManyBreakers],
] as const) {
  console.log(title);
  for (const [service, { answered, failed, refused }] of Object.entries(await play(make))) {
    console.log(`  ${service.padEnd(9)} answered ${answered}, failed ${failed}, refused ${refused}`);
  }
}
