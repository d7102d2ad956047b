package identifier

import (
	"math"
	"regexp"
	"strconv"
	"strings"

	"github.com/menshen-project/menshen/internal/fault"
)

var (
	errPositionShape = fault.New(fault.Invalid, "position_shape",
		"位置写成 纬度/经度，带正负号，最多 32 位，例如 +37.12/-121.213。",
		"A position is latitude/longitude with signs, at most 32 characters, such as +37.12/-121.213.")
	errPositionRange = fault.New(fault.Invalid, "position_range",
		"纬度要在 -90 到 90 之间，经度要在 -180 到 180 之间。",
		"Latitude lies between -90 and 90 degrees, longitude between -180 and 180.")
	errPositionNull = fault.New(fault.Invalid, "position_null",
		"定位没有成功（读数是 0/0），请到窗边或门口再试一次。",
		"The reading is 0/0, which a receiver gives when it has no fix; try again near a window or the door.")
	errAccuracy = fault.New(fault.Invalid, "position_accuracy",
		"定位精度要在 1 到 100000 米之间。",
		"A position's accuracy lies between 1 and 100000 metres.")
)

// degree is the unit positions are kept in: 1e-7 degree, at most 1.2 cm on the ground. Integers, so that
// equal places are equal bytes and every judge computes from the same numbers.
const degree = 10_000_000

// earthRadiusMetres is the mean radius of WGS-84's ellipsoid (IUGG R1).
const earthRadiusMetres = 6_371_008.8

// Position is a place in WGS-84, as satellite receivers give it. The zero value is no place: it is
// infinitely far from everything.
type Position struct{ lat, lon int32 } // in 1/degree

var positionShape = regexp.MustCompile(`^[+-][0-9]{1,2}(\.[0-9]{1,16})?/[+-][0-9]{1,3}(\.[0-9]{1,16})?$`)

// ParsePosition reads a position as the terminal messages carry it: sign, decimal degrees latitude,
// slash, sign, decimal degrees longitude, at most 32 characters. It rounds to 1e-7 degree.
// Faults: position_shape, position_range, position_null.
func ParsePosition(s string) (Position, error) {
	if len(s) > 32 || !positionShape.MatchString(s) {
		return Position{}, errPositionShape
	}
	latText, lonText, _ := strings.Cut(s, "/")
	lat, _ := strconv.ParseFloat(latText, 64) // the shape holds nothing that it refuses
	lon, _ := strconv.ParseFloat(lonText, 64)
	return NewPosition(lat, lon)
}

// NewPosition makes a position of WGS-84 degrees, north and east positive, rounded to 1e-7 degree.
// Faults: position_range (also for what is no number), position_null.
func NewPosition(lat, lon float64) (Position, error) {
	if !(math.Abs(lat) <= 90 && math.Abs(lon) <= 180) { // written so that NaN refuses
		return Position{}, errPositionRange
	}
	p := Position{int32(math.Round(lat * degree)), int32(math.Round(lon * degree))}
	if p == (Position{}) {
		return Position{}, errPositionNull
	}
	return p, nil
}

// Lat gives degrees north.
func (p Position) Lat() float64 { return float64(p.lat) / degree }

// Lon gives degrees east.
func (p Position) Lon() float64 { return float64(p.lon) / degree }

// String writes the position as ParsePosition reads it, "" for the zero value. It is personal when it
// is somebody's whereabouts.
func (p Position) String() string {
	if p == (Position{}) {
		return ""
	}
	return signed(p.Lat()) + "/" + signed(p.Lon())
}

func signed(degrees float64) string {
	s := strconv.FormatFloat(degrees, 'f', -1, 64)
	if degrees >= 0 {
		s = "+" + s
	}
	return s
}

// MetresTo gives the distance on the ground in metres by the haversine formula on a sphere of mean
// radius: within 0.6 % of the ellipsoid, so 1 m in 200 m. It is +Inf when either is the zero value. It
// is rounded to the millimetre, because processors differ in the last bits of a sine and a host must
// come to the same verdict as a verifier on other hardware.
func (p Position) MetresTo(q Position) float64 {
	if p == (Position{}) || q == (Position{}) {
		return math.Inf(1)
	}
	lat1, lat2 := radians(p.Lat()), radians(q.Lat())
	sinLat := math.Sin((lat2 - lat1) / 2)
	sinLon := math.Sin(radians(q.Lon()-p.Lon()) / 2)
	h := sinLat*sinLat + math.Cos(lat1)*math.Cos(lat2)*sinLon*sinLon
	metres := 2 * earthRadiusMetres * math.Asin(math.Sqrt(min(1, h)))
	return math.Round(metres*1000) / 1000
}

func radians(degrees float64) float64 { return degrees * math.Pi / 180 }

// Place says where a reading lies against a circle. The zero value is Unclear.
type Place int

const (
	Unclear Place = iota // the reading's own error reaches over the line, or there is no reading
	Inside               // inside even at the far end of its error
	Outside              // outside even at the near end of its error
)

// Reading is a position with the error its receiver states. The zero value is Unclear against every
// circle.
type Reading struct {
	position       Position
	accuracyMetres int
}

// NewReading joins a position and its accuracy in whole metres (the radius that the receiver states,
// 68 % or 95 % as its platform has it). No receiver is exact, so accuracy 0 is refused.
// Faults: position_null for the zero position, position_accuracy.
func NewReading(position Position, accuracyMetres int) (Reading, error) {
	if position == (Position{}) {
		return Reading{}, errPositionNull
	}
	if accuracyMetres < 1 || accuracyMetres > 100_000 {
		return Reading{}, errAccuracy
	}
	return Reading{position, accuracyMetres}, nil
}

// Position gives where the reading says it is.
func (r Reading) Position() Position { return r.position }

// AccuracyMetres gives the stated error in metres.
func (r Reading) AccuracyMetres() int { return r.accuracyMetres }

// Against compares the reading, error included, with a circle of radiusMetres around centre.
func (r Reading) Against(centre Position, radiusMetres int) Place {
	if r == (Reading{}) || centre == (Position{}) {
		return Unclear
	}
	distance := r.position.MetresTo(centre)
	switch accuracy, radius := float64(r.accuracyMetres), float64(radiusMetres); {
	case distance+accuracy <= radius:
		return Inside
	case distance-accuracy > radius:
		return Outside
	}
	return Unclear
}

// GCJ02 is a point for drawing on a Chinese map, in degrees. It is its own type so that nobody stores it
// or measures with it.
type GCJ02 struct{ Lat, Lon float64 }

// GCJ02 shifts the position to the datum that maps in mainland China must draw in. The official
// transformation is not public; this is the approximation that open map software has used since 2010
// (Krasovsky 1940 ellipsoid and a published series), within a few metres of the maps. Points outside the
// box around China stay as they are.
func (p Position) GCJ02() GCJ02 {
	const axisMetres, eccentricity2 = 6378245.0, 0.00669342162296594323
	lat, lon := p.Lat(), p.Lon()
	if lon < 72.004 || lon > 137.8347 || lat < 0.8293 || lat > 55.8271 {
		return GCJ02{lat, lon}
	}
	x, y := lon-105, lat-35
	north := -100 + 2*x + 3*y + 0.2*y*y + 0.1*x*y + 0.2*math.Sqrt(math.Abs(x)) +
		wave(x, 20, 6, 20, 2) + wave(y, 20, 1, 40, 1.0/3) + wave(y, 160, 1.0/12, 320, 1.0/30)
	east := 300 + x + 2*y + 0.1*x*x + 0.1*x*y + 0.1*math.Sqrt(math.Abs(x)) +
		wave(x, 20, 6, 20, 2) + wave(x, 20, 1, 40, 1.0/3) + wave(x, 150, 1.0/12, 300, 1.0/30)
	sin := math.Sin(radians(lat))
	w := 1 - eccentricity2*sin*sin
	meridianMetres := axisMetres * (1 - eccentricity2) / (w * math.Sqrt(w))
	parallelMetres := axisMetres / math.Sqrt(w) * math.Cos(radians(lat))
	return GCJ02{lat + north/radians(meridianMetres), lon + east/radians(parallelMetres)}
}

// wave is one pair of sines of the series: two amplitudes in metres, each with its frequency.
func wave(at, a1, f1, a2, f2 float64) float64 {
	return (a1*math.Sin(f1*at*math.Pi) + a2*math.Sin(f2*at*math.Pi)) * 2 / 3
}
