package supernet

import _ "gorgonia.org/gorgonia"

import _ "go.yaml.in/yaml/v4"
