// The one script that is no module, written as the oldest browser reads it: everything else would fail there without a word.
// What it lacks is what the modules use; a page says so by .for-old and the like in menshen.css.
(function () {
  "use strict";
  var modern = "noModule" in document.createElement("script") && "at" in Array.prototype && "hasOwn" in Object && "replaceAll" in String.prototype
    && "structuredClone" in window && "DecompressionStream" in window;
  if (!modern) document.documentElement.className += " too-old";
}());
