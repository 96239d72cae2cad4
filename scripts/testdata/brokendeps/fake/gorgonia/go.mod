module gorgonia.org/gorgonia

go 1.26.0
