<?xml version="1.0"?>
<xsl:stylesheet version="1.0" xmlns:xsl="http://www.w3.org/1999/XSL/Transform">
  <xsl:output method="html" indent="no"/>
  <xsl:template match="/books">
    <ul><xsl:apply-templates select="book"><xsl:sort select="title"/></xsl:apply-templates></ul>
  </xsl:template>
  <xsl:template match="book">
    <li><xsl:value-of select="title"/> (<xsl:value-of select="@price"/>)</li>
  </xsl:template>
</xsl:stylesheet>
