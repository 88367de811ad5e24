// A text as a QR code: for a page an SVG of black squares, for a terminal half blocks, each with the quiet zone that readers need.

import { renderSVG, renderUnicodeCompact } from 'uqr';

/** ISO/IEC 18004, 5.3.8: four modules of white around it. */
const QUIET_MODULES = 4;

export function qrSvg(text: string): string {
  return renderSVG(text, { border: QUIET_MODULES, ecc: 'M' });
}

/** Light on dark, as most terminals are; phones read both. */
export function qrText(text: string): string {
  return `${renderUnicodeCompact(text, { border: 2, ecc: 'L' })}\n`;
}
