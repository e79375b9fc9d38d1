export { type Pipeline, type PipelineOptions, pipeline } from './pipeline.ts';
