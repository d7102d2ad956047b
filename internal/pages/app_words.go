package pages

import (
	"maps"

	"github.com/menshen-project/menshen/internal/visit"
)

// appWords are what the technician's pages say where the server writes them; what the app itself says
// stands in assets/app-words.mjs.
var appWords = texts(map[string]both{
	"photos":          {"现场照片", "Photos from the visit"},
	"photos.coming":   {"已签字，照片还没传到", "signed, not brought yet"},
	"photos.look":     {"看照片会留下记录，店主看得到。", "Every look is recorded for the merchant to see."},
	"app.title":       {"上门", "Visits"},
	"learn.title":     {"课程", "Courses"},
	"app.loading":     {"正在打开…", "Opening …"},
	"app.no_script":   {"这一页要用 JavaScript：签字和相机都在手机里完成。", "This page needs JavaScript: signing and the camera happen in the phone."},
	"app.short":       {"门神上门", "menshen"},
	"carry.title":     {"代交手机导出的文件", "Hand in a phone's file"},
	"carry.lead":      {"上门人员的手机交不出去时，让他把文件导出来给您。每份文件只按签名的人记账；您只是代交。", "When a technician's phone cannot send, have him export the file. Each statement counts for whoever signed it; you only carry it."},
	"carry.pick":      {"选文件", "Choose the file"},
	"carry.send":      {"代交", "Hand it in"},
	"carry.no_script": {"这一页要用 JavaScript 来拆开文件。", "This page needs JavaScript to open the file."},
})

// stepWords name the usual steps of a visit. An acquirer may require others; those show as written.
var stepWords = texts(map[string]both{
	"shopfront": {"门头照", "shop front"}, "mount": {"安装", "mounting"}, "counter": {"收银台照", "counter"}, "inside": {"店内照", "inside the shop"},
	"check_serial": {"店主核对序列号", "the merchant checks the serial"}, "unplug": {"拆下旧机", "old terminal taken off"}, "pack": {"装箱封签", "packed and sealed"},
	visit.TypeBackup: {"备份", "backup"},
})

func init() { maps.Copy(words, appWords) }
