import { beatMs, follow, type Tell, type Told } from './follow.ts';

/** Put in by the build. */
declare const workerUrl: string;

/** Opens the stream, one for all windows of this browser: it has six connections for each server. @returns what ends it */
export function openStream(tell: Tell): () => void {
  let stop: () => void;
  const alone = (): void => {
    const source = follow('api/stream', tell);
    stop = () => source.close();
  };
  try {
    stop = shared(tell, () => {
      stop();
      alone();
    });
  } catch {
    // No shared workers here.
    alone();
  }
  return () => stop();
}

function shared(tell: Tell, failed: () => void): () => void {
  const worker = new SharedWorker(workerUrl);
  const { port } = worker;
  let answered = true;
  const beat = (): void => {
    port.postMessage(1);
    // It went down with the window in whose process it was.
    if (!answered) tell(['ended']);
    answered = false;
  };
  const timer = setInterval(beat, beatMs);
  worker.onerror = failed;
  port.onmessage = ({ data }: MessageEvent<Told | 0>) => {
    answered = true;
    if (data) tell(data);
  };
  window.onpagehide = () => port.postMessage(0);
  beat();
  return () => {
    clearInterval(timer);
    worker.onerror = port.onmessage = null;
    port.postMessage(0);
    port.close();
  };
}
