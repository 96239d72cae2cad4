package config

import (
	"encoding/json"
	"slices"

	"oneshot/internal/setting"
)

// sectionTitles say what the sections of Config are about.
var sectionTitles = map[string]string{
	"": "Above the sections", "data": "data: the images", "net": "net: the search space and the supernet",
	"train": "train: the supernet's training", "score": "score: how a subnetwork is scored", "search": "search: the search",
	"retrain": "retrain: the training of the final network", "run": "run: how the work is done; changes no result on one device",
}

// Schema is the JSON Schema (draft 2020-12) of a configuration file: what an editor completes and checks keys
// and values with.
func Schema() ([]byte, error) {
	s := setting.Schema(new(Config), func(section string) string { return sectionTitles[section] })
	s["$schema"], s["title"] = "https://json-schema.org/draft/2020-12/schema", "configuration of oneshot"
	preset := s["properties"].(map[string]any)["preset"].(map[string]any)
	preset["enum"] = slices.Concat([]string{""}, PresetNames(), presetNames("recipes/test"))
	b, err := json.MarshalIndent(s, "", "  ")
	return append(b, '\n'), err
}
