package plan

import (
	"fmt"

	"oneshot/data"
	"oneshot/data/decode"
)

// DescribeData says what images are, a line each.
func DescribeData(d *data.Dataset) []string {
	lines := []string{fmt.Sprintf("data     %s: %d images to train, %d to search, %d to test", d.Provenance, d.Train.Len(), d.Search.Len(), d.Test.Len())}
	if d.Roles != "" {
		lines = append(lines, "roles    "+d.Roles)
	}
	if d.Format == "" {
		return lines
	}
	images := fmt.Sprintf("images   %dx%d pixels of %d classes", d.Image, d.Image, len(d.Classes))
	if d.CropPct < 1 {
		images += fmt.Sprintf(", central %.4g %% of the shorter side", 100*d.CropPct)
	}
	if d.Decoder != "" {
		images += ", decoded by " + decode.Version(d.Decoder)
	}
	return append(lines, images)
}

// Decoder is what decodes the image files of a data set, with its version; "" where there
// are none.
func Decoder(d *data.Dataset) string {
	if d.Decoder == "" {
		return ""
	}
	return d.Decoder + " (" + decode.Version(d.Decoder) + ")"
}
