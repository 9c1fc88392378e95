/** How loud something is, in decibels below the loudest. */

/** @param {Float32Array} samples */
export function decibelsOf(samples) {
  let sum = 0;
  for (const sample of samples) sum += sample * sample;
  return 10 * Math.log10(sum / samples.length);
}

/** Of the last moments that an analyser has seen. @param {AnalyserNode} analyser */
export function decibelsAt(analyser) {
  const samples = new Float32Array(analyser.fftSize);
  analyser.getFloatTimeDomainData(samples);
  return decibelsOf(samples);
}
