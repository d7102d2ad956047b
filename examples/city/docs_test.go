package city

import "embed"

//go:embed README.md
var docs embed.FS
