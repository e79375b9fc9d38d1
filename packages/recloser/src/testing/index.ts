export { type ManualClock, manualClock } from './manual-clock.ts';
export { type Outcome, type ScriptedDependency, scriptedDependency } from './scripted-dependency.ts';
