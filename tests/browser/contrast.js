"use strict";

/**
 * In the page: every text below `root` with its contrast against what is behind it, by WCAG 2's formula.
 *
 * Opacity counts for text and background alike, as they are drawn.
 */
function contrasts(root) {
  const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  // The browser itself reads colours: a computed style may hold any notation of CSS.
  const rgba = (css) => {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = css;
    canvas.fillRect(0, 0, 1, 1);
    const [r, g, b, a] = canvas.getImageData(0, 0, 1, 1).data;
    return { rgb: [r, g, b], a: a / 255 };
  };
  const over = (top, alpha, bottom) => top.map((channel, i) => channel * alpha + bottom[i] * (1 - alpha));
  const ancestors = (element) => (element ? [...ancestors(element.parentElement), element] : []);
  const channel = (value) => (value / 255 <= 0.04045 ? value / 255 / 12.92 : ((value / 255 + 0.055) / 1.055) ** 2.4);
  const luminance = (rgb) => rgb.reduce((sum, value, i) => sum + [0.2126, 0.7152, 0.0722][i] * channel(value), 0);

  const of = (element) => {
    let [behind, opacity] = [[255, 255, 255], 1];
    for (const part of ancestors(element)) {
      const style = getComputedStyle(part);
      opacity *= Number(style.opacity);
      const background = rgba(style.backgroundColor);
      behind = over(background.rgb, background.a * opacity, behind);
    }
    const color = rgba(getComputedStyle(element).color);
    const [light, dark] = [luminance(over(color.rgb, color.a * opacity, behind)), luminance(behind)].sort((a, b) => b - a);
    return (light + 0.05) / (dark + 0.05);
  };

  const found = [];
  const texts = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const element = texts.currentNode.parentElement;
    const text = texts.currentNode.data.trim();
    if (!text || ["STYLE", "SCRIPT"].includes(element.tagName)) continue;
    found.push({ text, tag: element.tagName.toLowerCase(), contrast: of(element) });
  }
  return found;
}

/** The contrast of two colours, as computed styles hold opaque ones: `rgb(1, 2, 3)`. */
function contrast(one, other) {
  const channel = (value) => (value / 255 <= 0.04045 ? value / 255 / 12.92 : ((value / 255 + 0.055) / 1.055) ** 2.4);
  const luminance = (css) => css.match(/\d+/g).slice(0, 3).reduce((sum, value, i) => sum + [0.2126, 0.7152, 0.0722][i] * channel(value), 0);
  const [light, dark] = [luminance(one), luminance(other)].sort((a, b) => b - a);
  return (light + 0.05) / (dark + 0.05);
}

module.exports = { contrast, contrasts };
