package app

import (
	"github.com/menshen-project/menshen/internal/statement"
)

// Package is what both phones keep of an order so that they can check each other without signal
// (docs/door.md). The signed bytes in it prove themselves; the rest is this server's word.
type Package struct {
	Visit       string            `json:"visit"`
	Order       string            `json:"order"`
	Kind        string            `json:"kind"`
	Merchant    string            `json:"merchant"` // holder id
	Window      PackageWindow     `json:"window"`
	Dispatch    PackageDispatch   `json:"dispatch"`
	Openings    PackageOpenings   `json:"openings"`
	Photo       statement.Opening `json:"photo"`        // of dispatch.photo; the value is base64 of a JPEG or WebP picture, at most 30 kB
	OrderSecret string            `json:"order_secret"` // base64, 32 bytes; new at every assignment
	TrustList   PackageTrustList  `json:"trust_list"`
	Issuer      PackageIssuer     `json:"issuer"`
	StatusList  PackageStatusList `json:"status_list"`
	Phone       string            `json:"acquirer_phone"` // "" where the acquirer published none
	FetchedAt   statement.Time    `json:"fetched_at"`
}

// PackageWindow is when the visit was agreed to be.
type PackageWindow struct {
	From  statement.Time `json:"from"`
	Until statement.Time `json:"until"`
}

// PackageDispatch is the dispatcher's signed assignment, and what of it the check reads.
type PackageDispatch struct {
	Envelope      string `json:"envelope"` // base64
	Digest        string `json:"digest"`
	Technician    string `json:"technician"`
	TechnicianKey string `json:"technician_key"` // thumbprint that the badge must be bound to
	Shop          string `json:"shop"`           // commitment
	Name          string `json:"name"`           // commitment
	Photo         string `json:"photo"`          // commitment
}

// PackageOpenings opens the dispatch's commitments; null where a value was erased.
type PackageOpenings struct {
	Shop *statement.Opening `json:"shop"`
	Name *statement.Opening `json:"name"`
}

// PackageTrustList is the newest trust list.
type PackageTrustList struct {
	Envelope  string         `json:"envelope"` // base64
	Number    int            `json:"number"`
	FetchedAt statement.Time `json:"fetched_at"`
}

// PackageIssuer is the badge's issuer as the trust list has it.
type PackageIssuer struct {
	Organisation string        `json:"organisation"`
	Name         string        `json:"name"`
	BadgeKey     statement.Key `json:"badge_key"`
}

// PackageStatusList is the issuer's newest status list.
type PackageStatusList struct {
	URI       string         `json:"uri"`
	Token     string         `json:"token"`
	FetchedAt statement.Time `json:"fetched_at"`
}
