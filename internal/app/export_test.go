package app

// Shrink is what thumbnails are made with.
var Shrink = shrink
