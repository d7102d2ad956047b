//go:build browser

package pages

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"os"
)

// looksAt holds a picture in front of the camera, in its middle, as large as it fits.
func (f *field) looksAt(picture image.Image) {
	f.t.Helper()
	const width, height = 1280, 720
	frame := image.NewGray(image.Rect(0, 0, width, height))
	b := picture.Bounds()
	scale := float64(height) / float64(max(b.Dx(), b.Dy()))
	left, top := (width-int(float64(b.Dx())*scale))/2, (height-int(float64(b.Dy())*scale))/2
	for y := range height {
		for x := range width {
			shade := color.Gray{Y: 120}
			at := image.Pt(b.Min.X+int(float64(x-left)/scale), b.Min.Y+int(float64(y-top)/scale))
			if x >= left && y >= top && at.In(b) {
				shade = color.GrayModel.Convert(picture.At(at.X, at.Y)).(color.Gray)
			}
			frame.SetGray(x, y, shade)
		}
	}
	var film bytes.Buffer
	fmt.Fprintf(&film, "YUV4MPEG2 W%d H%d F10:1 Ip A1:1 C420jpeg\n", width, height)
	for range 2 {
		film.WriteString("FRAME\n")
		film.Write(frame.Pix)
		film.Write(bytes.Repeat([]byte{128}, width*height/2))
	}
	if err := os.WriteFile(f.camera, film.Bytes(), 0o644); err != nil {
		f.t.Fatal(err)
	}
}

// views holds a sight in front of the camera that is like no other: n tells them apart.
func (f *field) views(n int) {
	f.t.Helper()
	sight := image.NewGray(image.Rect(0, 0, 320, 180))
	for y := range 180 {
		for x := range 320 {
			sight.SetGray(x, y, color.Gray{Y: byte(60 + (x*n+y*3)%180)})
		}
	}
	f.looksAt(sight)
}
