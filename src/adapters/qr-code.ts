// A text as a QR code that a page can hold: an SVG of black squares, with the quiet zone that readers need.

import { renderSVG } from 'uqr';

/** ISO/IEC 18004, 5.3.8: four modules of white around it. */
const QUIET_MODULES = 4;

export function qrSvg(text: string): string {
  return renderSVG(text, { border: QUIET_MODULES, ecc: 'M' });
}
