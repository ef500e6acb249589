// Command generate is a protoc plugin, run by `buf generate`. It writes docs/reference from the comments and the rules of the
// schema: graft.schema.json for editors, config.md for people.
package main

import (
	"google.golang.org/protobuf/compiler/protogen"
)

func main() {
	protogen.Options{}.Run(generate)
}

func generate(plugin *protogen.Plugin) error {
	s, err := read(plugin.Files)
	if err != nil {
		return err
	}
	schema, err := jsonSchema(s)
	if err != nil {
		return err
	}
	if _, err := plugin.NewGeneratedFile("graft.schema.json", "").Write(schema); err != nil {
		return err
	}
	_, err = plugin.NewGeneratedFile("config.md", "").Write(markdown(s))
	return err
}
