module github.com/arrayrun/arrayrun

go 1.26
