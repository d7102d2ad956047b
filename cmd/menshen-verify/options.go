package main

import (
	"errors"
	"flag"
	"io"

	"github.com/menshen-project/menshen/internal/fault"
)

var (
	errFlag   = fault.New(fault.Invalid, "usage", "命令或参数不对，正确写法见下。", "Wrong command or flag; this is how it is used:")
	errBundle = fault.New(fault.Invalid, "usage", "请给出一份证据包。", "Name one bundle.")
	errTrust  = fault.New(fault.Invalid, "usage", "必须用 --trust 给出信任文件。", "--trust is required.")
	errTwice  = fault.New(fault.Invalid, "usage", "只有一个文件可以从标准输入读。", "Only one file can be read from standard input.")
	errLang   = fault.New(fault.Invalid, "usage", "--lang 只能是 zh、en 或 both。", "--lang is zh, en or both.")
)

const usage = `menshen-verify checks a bundle offline / 离线核对一份证据包

  menshen-verify --trust trust.json bundle.json
  menshen-verify --trust trust.json --json bundle.json
  menshen-verify --trust trust.json --lang en - < bundle.json
  menshen-verify --trust trust.json --audit first-2026-11-29.txt bundle.json

  --trust FILE   the trust file, from its publisher and not from menshen (required)
                 信任文件，要从发布它的机构拿，不从门神拿
  --audit FILE   a checkpoint as the witness named in the report gives it out: was this visit drawn for an audit?
                 见证方零点后的第一个检查点：这次上门抽中复查了吗？
  --json         one JSON document for machines
  --lang zh|en|both   language of the report (both)
  --help         this text

Exit status: 0 accepted, 1 refused, 2 unusable input.
退出码：0 可信，1 不可信，2 文件读不出来。
`

type options struct {
	trust, bundle, lang, audit string
	json, help                 bool
}

func parseOptions(args []string) (options, error) {
	var o options
	f := flag.NewFlagSet("menshen-verify", flag.ContinueOnError)
	f.SetOutput(io.Discard)
	f.StringVar(&o.trust, "trust", "", "")
	f.StringVar(&o.lang, "lang", "both", "")
	f.StringVar(&o.audit, "audit", "", "")
	f.BoolVar(&o.json, "json", false, "")
	if err := f.Parse(args); err != nil {
		o.help = errors.Is(err, flag.ErrHelp)
		if o.help {
			return o, nil
		}
		return o, errFlag.Because(err)
	}
	empty := false // an unset variable in a script must not mean "no audit"
	f.Visit(func(given *flag.Flag) { empty = empty || given.Value.String() == "" })
	switch {
	case f.NArg() != 1 || f.Arg(0) == "":
		return o, errBundle
	case o.trust == "":
		return o, errTrust
	case empty:
		return o, errFlag
	case o.lang != "zh" && o.lang != "en" && o.lang != "both":
		return o, errLang
	}
	o.bundle = f.Arg(0)
	if o.trust == "-" && o.bundle == "-" || o.audit == "-" && (o.trust == "-" || o.bundle == "-") {
		return o, errTwice
	}
	return o, nil
}
