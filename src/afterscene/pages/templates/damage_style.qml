<!DOCTYPE qgis>
<qgis version="3.22" styleCategories="Symbology"><renderer-v2 type="categorizedSymbol" attr="level" enableorderby="0">
<categories>
{% for word in kinds %}
<category value="{{ word }}" label="{{ word }}" symbol="{{ loop.index0 }}" render="true"/>
{% endfor %}
</categories>
<symbols>
{% for rgb in kinds.values() %}
<symbol name="{{ loop.index0 }}" type="fill"><layer class="SimpleFill" enabled="1"><Option type="Map">
<Option name="color" value="{{ rgb | join(",") }},160" type="QString"/>
<Option name="outline_color" value="{{ rgb | join(",") }},255" type="QString"/>
<Option name="outline_width" value="0.4" type="QString"/>
</Option></layer></symbol>
{% endfor %}
</symbols>
</renderer-v2></qgis>
