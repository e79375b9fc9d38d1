// Runs a command on another major release of Node: `tsx scripts/with-node.ts 24 npm test`. npm serves the binaries; they are kept in .cache.
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { delimiter, resolve } from 'node:path';

const [major, command, ...args] = process.argv.slice(2);
if (!major || !command) throw new Error('usage: tsx scripts/with-node.ts <major> <command> [arguments]');

const name = `node-${process.platform === 'win32' ? 'win' : process.platform}-${process.arch}`;
const prefix = resolve('.cache', `node-${major}`);
const bin = resolve(prefix, 'node_modules', name, 'bin');
if (!existsSync(bin)) {
  execFileSync('npm', ['install', '--no-save', '--no-audit', '--no-fund', '--prefix', prefix, `${name}@${major}`], {
    stdio: 'inherit',
  });
}

const env = { ...process.env, PATH: `${bin}${delimiter}${process.env.PATH}` };
console.log(
  `Node ${execFileSync('node', ['--version'], { env, encoding: 'utf8' }).trim()}: ${command} ${args.join(' ')}`,
);
process.exitCode = spawnSync(command, args, { env, stdio: 'inherit' }).status ?? 1;
