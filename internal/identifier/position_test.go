package identifier

import (
	"math"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestPositions(t *testing.T) {
	table(t, errOf(ParsePosition), []row{
		{"as in the message specification", "+37.12/-121.213", ""},
		{"without fractions", "+31/+120", ""},
		{"the corner", "-90/-180", ""},
		{"32 characters", "+31.1234567890123/+120.123456789", ""},
		{"on the equator", "+0/+120.5", ""},
		{"33 characters", "+31.12345678901234/+120.123456789", "position_shape"},
		{"no sign", "37.12/-121.213", "position_shape"},
		{"no second sign", "+37.12/121.213", "position_shape"},
		{"a comma", "+37.12,-121.213", "position_shape"},
		{"spaces", "+37.12 / -121.213", "position_shape"},
		{"an exponent", "+3e1/+1e2", "position_shape"},
		{"infinity", "+Inf/+Inf", "position_shape"},
		{"not a number", "+NaN/+NaN", "position_shape"},
		{"a bare point", "+37./+121.", "position_shape"},
		{"three parts", "+37.12/-121.213/+5", "position_shape"},
		{"a line feed behind", "+37.12/-121.213\n", "position_shape"},
		{"too far north", "+90.1/+10", "position_range"},
		{"too far east", "+10/+180.0000001", "position_range"},
		{"latitude and longitude exchanged", "+99.5/+31.2", "position_range"},
		{"no fix", "+0.0/-0.000", "position_null"},
		{"no fix, after rounding", "+0.00000004/+0.0", "position_null"},
	})
	if p := position(t, "+0/-120.5"); p.String() != "+0/-120.5" {
		t.Errorf("a place on the equator prints %q", p)
	}
	for _, bad := range [][2]float64{{math.NaN(), 120}, {31, math.NaN()}, {math.Inf(1), 120}, {31, math.Inf(-1)}} {
		if _, err := NewPosition(bad[0], bad[1]); codeOf(err) != "position_range" {
			t.Errorf("NewPosition(%v) gives %v", bad, err)
		}
	}
}

func TestPositionSurvivesItsOwnText(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		lat := rapid.Float64Range(-90, 90).Draw(t, "lat")
		lon := rapid.Float64Range(0.001, 180).Draw(t, "lon")
		p, err := NewPosition(lat, lon)
		if err != nil {
			t.Fatal(err)
		}
		if math.Abs(p.Lat()-lat) > 0.6e-7 || math.Abs(p.Lon()-lon) > 0.6e-7 {
			t.Fatalf("%v/%v became %v/%v", lat, lon, p.Lat(), p.Lon())
		}
		again, err := ParsePosition(p.String())
		if err != nil || again != p {
			t.Fatalf("%s became %s, %v", p, again, err)
		}
	})
}

func position(t *testing.T, s string) Position {
	t.Helper()
	p, err := ParsePosition(s)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestDistances(t *testing.T) {
	for _, r := range []struct {
		name, from, to string
		metres, within float64
	}{
		{"the same place", "+31.2/+120.6", "+31.2/+120.6", 0, 0},
		{"0.001° north", "+31.2/+120.6", "+31.201/+120.6", 111.195, 0.01},
		{"0.001° east at 31.2° north", "+31.2/+120.6", "+31.2/+120.601", 95.113, 0.01},
		{"Nashville to Los Angeles, the usual haversine example", "+36.12/-86.67", "+33.94/-118.4", 2_886_448, 60},
		{"a quarter of the way round", "+0/+90", "+0/+180", math.Pi / 2 * earthRadiusMetres, 0.01},
		{"the other side of the world", "+0/+90", "+0/-90", math.Pi * earthRadiusMetres, 0.01},
		{"across the date line", "+0/+179.9995", "+0/-179.9995", 111.195, 0.01},
		{"pole to pole", "+90/+1", "-90/+1", math.Pi * earthRadiusMetres, 0.01},
	} {
		a, b := position(t, r.from), position(t, r.to)
		if got := a.MetresTo(b); math.Abs(got-r.metres) > r.within {
			t.Errorf("%s: %v m, want %v", r.name, got, r.metres)
		}
		if a.MetresTo(b) != b.MetresTo(a) {
			t.Errorf("%s: there and back differ", r.name)
		}
	}
}

func TestDistanceIsAMetric(t *testing.T) {
	draw := func(t *rapid.T, name string) Position {
		p, err := NewPosition(rapid.Float64Range(-90, 90).Draw(t, name+" lat"), rapid.Float64Range(0.001, 180).Draw(t, name+" lon"))
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	rapid.Check(t, func(t *rapid.T) {
		a, b, c := draw(t, "a"), draw(t, "b"), draw(t, "c")
		switch ab := a.MetresTo(b); {
		case ab < 0 || ab > math.Pi*earthRadiusMetres+0.001 || math.IsNaN(ab):
			t.Fatalf("%v m", ab)
		case ab > a.MetresTo(c)+c.MetresTo(b)+0.01:
			t.Fatal("a detour is shorter")
		case a.MetresTo(a) != 0:
			t.Fatal("a place is away from itself")
		}
	})
}

func TestPositionZeroValueIsNowhere(t *testing.T) {
	var nowhere Position
	shop := position(t, "+31.2/+120.6")
	if !math.IsInf(nowhere.MetresTo(shop), 1) || !math.IsInf(shop.MetresTo(nowhere), 1) || !math.IsInf(nowhere.MetresTo(nowhere), 1) {
		t.Error("the zero value is somewhere")
	}
	if nowhere.String() != "" {
		t.Errorf("the zero value prints %q", nowhere)
	}
	if (Reading{}).Against(shop, 1_000_000_000) != Unclear {
		t.Error("the zero reading is inside or outside")
	}
	if _, err := NewReading(nowhere, 5); codeOf(err) != "position_null" {
		t.Errorf("a reading of nowhere gives %v", err)
	}
}

func TestReadingAgainstTheShopsCircle(t *testing.T) {
	shop := position(t, "+31.2/+120.6")
	at100m := position(t, "+31.2009/+120.6") // 100.075 m north
	for _, r := range []struct {
		name             string
		accuracy, radius int
		want             Place
	}{
		{"the best accuracy there is", 1, 102, Inside},
		{"inside with its error", 20, 150, Inside},
		{"inside by little", 20, 121, Inside},
		{"error reaches over the line from inside", 20, 120, Unclear},
		{"error reaches over the line from outside", 20, 81, Unclear},
		{"outside by little", 20, 80, Outside},
		{"an error so large that it says nothing", 100_000, 150, Unclear},
		{"a radius of nothing", 20, 0, Outside},
		{"a radius below nothing", 20, -200, Outside},
	} {
		reading, err := NewReading(at100m, r.accuracy)
		if err != nil {
			t.Fatal(err)
		}
		if got := reading.Against(shop, r.radius); got != r.want {
			t.Errorf("%s: %d, want %d", r.name, got, r.want)
		}
		if reading.Position() != at100m || reading.AccuracyMetres() != r.accuracy {
			t.Errorf("%s: holds %v ± %d m", r.name, reading.Position(), reading.AccuracyMetres())
		}
		if got := reading.Against(Position{}, r.radius); got != Unclear {
			t.Errorf("%s: against nowhere it is %d", r.name, got)
		}
	}
	for _, accuracy := range []int{0, -1, 100_001} {
		if _, err := NewReading(at100m, accuracy); codeOf(err) != "position_accuracy" {
			t.Errorf("accuracy %d gives %v", accuracy, err)
		}
	}
}

func TestGCJ02(t *testing.T) {
	for _, r := range []struct {
		name, in string
		want     GCJ02
	}{
		{"Beijing, as published with coordtransform", "+39.915/+116.404", GCJ02{39.91640428150164, 116.41024449916938}},
		{"Nashville stays", "+36.12/-86.67", GCJ02{36.12, -86.67}},
		{"west of the box", "+36/+72", GCJ02{36, 72}},
		{"east of the box", "+36/+138", GCJ02{36, 138}},
		{"south of the box", "+0.5/+110", GCJ02{0.5, 110}},
		{"north of the box", "+56/+110", GCJ02{56, 110}},
	} {
		got := position(t, r.in).GCJ02()
		if math.Abs(got.Lat-r.want.Lat) > 1e-9 || math.Abs(got.Lon-r.want.Lon) > 1e-9 {
			t.Errorf("%s: %+v, want %+v", r.name, got, r.want)
		}
	}
}

func TestGCJ02ShiftsByHundredsOfMetresInsideChina(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p, err := NewPosition(rapid.Float64Range(18, 53).Draw(t, "lat"), rapid.Float64Range(74, 134).Draw(t, "lon"))
		if err != nil {
			t.Fatal(err)
		}
		drawn := p.GCJ02()
		q, err := NewPosition(drawn.Lat, drawn.Lon)
		if err != nil {
			t.Fatal(err)
		}
		if moved := p.MetresTo(q); moved < 5 || moved > 1500 {
			t.Fatalf("%s moves by %v m", p, moved)
		}
	})
}

func FuzzParsePosition(f *testing.F) {
	for _, seed := range []string{"+37.12/-121.213", "+0/+0", "+90/+180", "-1./+2", "+1/" + strings.Repeat("9", 40)} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, in string) {
		p, err := ParsePosition(in)
		if err != nil {
			if p != (Position{}) {
				t.Fatal("a refused value is handed out")
			}
			return
		}
		again, err := ParsePosition(p.String())
		if err != nil || again != p || len(in) > 32 || math.Abs(p.Lat()) > 90 || math.Abs(p.Lon()) > 180 {
			t.Fatalf("accepted %q as %s, again %s, %v", in, p, again, err)
		}
	})
}
