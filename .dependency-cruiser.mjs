// The arrows of ARCHITECTURE.md. A room may import itself and the rooms listed behind it, nothing else of the library.
const foundation = ['core', 'windows'];
const library = [...foundation, 'breaker', 'policies', 'pipeline', 'registry'];
const rooms = {
  core: [],
  windows: ['core'],
  breaker: foundation,
  policies: foundation,
  pipeline: [...foundation, 'breaker', 'policies'],
  registry: [...foundation, 'breaker', 'policies'],
  adapters: library,
  telemetry: library,
  fleet: library,
  compat: library,
};
const packages = {
  recloser: [],
  dashboard: ['recloser'],
  gateway: ['recloser', 'dashboard'],
  lab: ['recloser'],
  cli: ['recloser', 'dashboard', 'gateway', 'lab'],
};
const tests = '\\.test\\.ts$';
const source = '^packages/recloser/src/';

const arrow = (from, prefix, inside, allowed) => ({
  name: `arrows-${from}`,
  comment: `${from} imports only ${['itself', ...allowed].join(', ')}.`,
  severity: 'error',
  from: { path: `${prefix}${from}/`, pathNot: tests },
  to: { path: inside, pathNot: [from, ...allowed].map((room) => `${prefix}${room}/`) },
});

/** @type {import('dependency-cruiser').IConfiguration} */
export default {
  forbidden: [
    ...Object.entries(rooms).map(([room, allowed]) => arrow(room, source, source, allowed)),
    ...Object.entries(packages).map(([name, allowed]) =>
      arrow(name, '^packages/', '^(packages|examples|bench|test|scripts)/', allowed),
    ),
    {
      name: 'door',
      comment: 'index.ts opens the portable rooms only; everything else has an entry of its own.',
      severity: 'error',
      from: { path: `${source}index\\.ts$` },
      to: { path: source, pathNot: `${source}(${library.join('|')})/` },
    },
    {
      name: 'testing-is-for-tests',
      severity: 'error',
      from: { path: '^packages/', pathNot: [tests, `${source}testing/`, '^packages/lab/'] },
      to: { path: `${source}testing/` },
    },
    {
      name: 'tests-are-leaves',
      severity: 'error',
      from: {},
      to: { path: tests },
    },
    {
      name: 'portable',
      comment: 'Only these rooms may use Node itself; the rest runs in every JavaScript runtime.',
      severity: 'error',
      from: { path: source, pathNot: [tests, `${source}(telemetry/channel|adapters/|fleet/stores/|compat/)`] },
      to: { dependencyTypes: ['core'] },
    },
    {
      name: 'zero-dependencies',
      severity: 'error',
      from: { path: source, pathNot: tests },
      to: { dependencyTypesNot: ['core', 'local', 'aliased', 'unknown'], pathNot: '^packages/' },
    },
    { name: 'no-circular', severity: 'error', from: {}, to: { circular: true } },
    { name: 'not-resolvable', severity: 'error', from: {}, to: { couldNotResolve: true } },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '(^|/)(dist|coverage|reports|\\.stryker-tmp|\\.cache)/' },
    tsConfig: { fileName: 'tsconfig.json' },
    // Type-only imports are arrows too.
    tsPreCompilationDeps: true,
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'require', 'node', 'types', 'default'],
    },
  },
};
